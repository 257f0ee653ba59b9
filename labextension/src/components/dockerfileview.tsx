import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ILintItem } from '../recipe';
import { toneOf } from './remarks';

/**
 * A Dockerfile to be read; lines with a remark are marked.
 */
export function DockerfileView(props: {
  text: string;
  remarks: ReadonlyArray<ILintItem>;
  trans: TranslationBundle;
}): JSX.Element {
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
          const remark = props.remarks.find(each => each.line === index + 1);
          return (
            <div key={index} data-tone={remark && toneOf(remark)}>
              {keyword && <b>{keyword}</b>}
              {rest}
              {'​'}
            </div>
          );
        })}
    </div>
  );
}
