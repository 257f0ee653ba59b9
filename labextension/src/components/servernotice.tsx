import { URLExt } from '@jupyterlab/coreutils';
import { UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IImageManager } from '../tokens';
import { VERSION } from '../version';
import { ActionButton } from './parts';

/**
 * Why nothing goes on, and the way out; nothing while all is well.
 */
export function ServerNotice(props: {
  manager: IImageManager;
  trans: TranslationBundle;
}): JSX.Element {
  return (
    <UseSignal signal={props.manager.stateChanged}>
      {() => <Notice {...props} />}
    </UseSignal>
  );
}

function Notice(props: {
  manager: IImageManager;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { manager, trans } = props;
  const again = (
    <ActionButton kind="link" onClick={() => void manager.refresh()}>
      {trans.__('Try again')}
    </ActionButton>
  );
  switch (manager.server) {
    case 'unreachable':
      return (
        <Banner
          text={trans.__(
            'The server does not answer. This page goes on by itself when it is back; what you typed stays.'
          )}
          tone="warn"
        >
          {again}
        </Banner>
      );
    case 'signedOut':
      return (
        <Banner
          text={trans.__(
            'You are signed out. Sign in on another page, then this one goes on by itself; what you typed stays.'
          )}
          tone="warn"
        >
          <ActionButton kind="link" onClick={() => signIn(manager)}>
            {trans.__('Sign in again')}
          </ActionButton>
          {again}
        </Banner>
      );
    case 'absent':
      return (
        <Banner
          text={trans.__(
            'The server lacks its part of the image manager. Run “pip install jupyter_image_manager” there and restart it; this page then goes on by itself.'
          )}
          tone="warn"
        >
          {again}
        </Banner>
      );
    case 'mismatch':
      return (
        <Banner
          text={trans.__(
            'This page is of version %1, the server of %2. Reload the page; if that does not help, restart the server. Drafts of new images stay.',
            VERSION,
            manager.serverVersion
          )}
          tone="warn"
        >
          <ActionButton kind="link" onClick={() => window.location.reload()}>
            {trans.__('Reload')}
          </ActionButton>
        </Banner>
      );
  }
  return manager.engineProblem ? (
    <Banner text={manager.engineProblem} tone="error">
      {again}
    </Banner>
  ) : null;
}

function Banner(props: {
  text: string;
  tone: 'warn' | 'error';
  children: React.ReactNode;
}): JSX.Element {
  return (
    <div
      className="jp-ImageManager-banner"
      data-tone={props.tone}
      role="status"
    >
      <span>{props.text}</span>
      {props.children}
    </div>
  );
}

function signIn(manager: IImageManager): void {
  const { baseUrl } = manager.api.serverSettings;
  window.open(
    `${URLExt.join(baseUrl, 'login')}?next=${encodeURIComponent(new URL(baseUrl).pathname)}`,
    '_blank',
    'noopener'
  );
}
