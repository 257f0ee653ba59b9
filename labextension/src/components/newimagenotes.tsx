import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { NewImageModel } from '../newimagemodel';
import { ActionButton } from './parts';

/** Lines that are shown of what would be lost. */
const LINES = 6;

/**
 * What a person should know before going on: how the page was filled, what did not succeed, what would be lost.
 */
export function NewImageNotes(props: {
  model: NewImageModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const { leaving } = model;
  return (
    <>
      {model.error && (
        <div className="jp-ImageManager-banner" data-tone="error" role="alert">
          {model.error}
        </div>
      )}
      {model.continued && (
        <div className="jp-ImageManager-banner" data-tone="busy" role="status">
          {trans.__('Continued from your draft.')}
          <ActionButton kind="link" onClick={() => model.startOver()}>
            {trans.__('Start over')}
          </ActionButton>
        </div>
      )}
      {model.other && (
        <div className="jp-ImageManager-banner" data-tone="busy" role="status">
          {trans.__(
            'You have a draft from before, “%1”. What you type here takes its place.',
            model.other.name
          )}
          <ActionButton kind="link" onClick={() => model.goBackToDraft()}>
            {trans.__('Go on with the draft')}
          </ActionButton>
        </div>
      )}
      {model.notes.map(note => (
        <div
          key={note}
          className="jp-ImageManager-banner"
          data-tone="busy"
          role="status"
        >
          {note}
        </div>
      ))}
      {leaving && (
        <div className="jp-ImageManager-banner" data-tone="warn" role="alert">
          {leaving.length
            ? trans._n(
                'The form cannot say %1 line of the text; it is lost when you go back to it:',
                'The form cannot say %1 lines of the text; they are lost when you go back to it:',
                leaving.length
              )
            : trans.__(
                'The form cannot say the text as it stands; what you changed in it is lost when you go back.'
              )}
          {leaving.length > 0 && (
            <pre>
              {leaving.slice(0, LINES).join('\n')}
              {leaving.length > LINES && '\n…'}
            </pre>
          )}
          <ActionButton kind="link" onClick={() => model.leave(false)}>
            {trans.__('Keep the text')}
          </ActionButton>
          <ActionButton kind="link" onClick={() => model.leave(true)}>
            {trans.__('Back to the form')}
          </ActionButton>
        </div>
      )}
    </>
  );
}
