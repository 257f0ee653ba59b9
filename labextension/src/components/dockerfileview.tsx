import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ILintItem } from '../tokens';

/**
 * A Dockerfile with remarks at their lines.
 */
export function DockerfileView(props: {
  text: string;
  error: string;
  remarks: ReadonlyArray<ILintItem>;
  trans: TranslationBundle;
}): JSX.Element {
  if (props.error) {
    return (
      <div className="jp-ImageManager-banner" data-tone="error" role="status">
        {props.error}
      </div>
    );
  }
  const loose = props.remarks.filter(
    remark => remark.line < 1 || remark.line > props.text.split('\n').length
  );
  return (
    <div
      className="jp-ImageManager-code"
      tabIndex={0}
      role="region"
      aria-label={props.trans.__('Dockerfile')}
    >
      {props.text
        .replace(/\n$/, '')
        .split('\n')
        .map((line, index) => {
          const [, keyword, rest] = /^([A-Z]{2,})(\s.*)?$/s.exec(line) ?? [
            null,
            '',
            line
          ];
          return (
            <React.Fragment key={index}>
              <div>
                {keyword && <b>{keyword}</b>}
                {rest}
                {'​'}
              </div>
              {props.remarks
                .filter(remark => remark.line === index + 1)
                .map(remark => (
                  <Remark key={remark.message} remark={remark} />
                ))}
            </React.Fragment>
          );
        })}
      {loose.map(remark => (
        <Remark key={remark.message} remark={remark} />
      ))}
    </div>
  );
}

function Remark({ remark }: { remark: ILintItem }): JSX.Element {
  const cure = Array.isArray(remark.cure)
    ? remark.cure.join('\n')
    : remark.cure;
  return (
    <div
      className="jp-ImageManager-remark"
      data-tone={remark.level === 'error' ? 'error' : 'warn'}
    >
      {remark.message}
      {cure && <pre>{cure}</pre>}
    </div>
  );
}
