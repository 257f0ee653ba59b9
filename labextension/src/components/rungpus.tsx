import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRunSettings, IStatus } from '../tokens';
import type { IField } from './runfields';

type Gpus = IRunSettings['gpus'];

/**
 * Which GPUs kernels get: by name where they are known, else by number.
 */
export function RunGpus(props: {
  field: IField;
  value: Gpus;
  devices: IStatus['engine']['gpu_devices'];
  trans: TranslationBundle;
  onChange: (gpus: Gpus) => void;
  problem: JSX.Element | null;
}): JSX.Element {
  const { devices, field, trans, value } = props;
  const words = ['none', 'all', ...devices.map(each => each.id)];
  if (!devices.length) {
    words.push('1', '2', '4');
  }
  const chosen = new Set(value.kind === 'ids' ? value.ids : [gpuWord(value)]);
  const toggle = (id: string, on: boolean) => {
    const ids = devices
      .map(each => each.id)
      .filter(each => (each === id ? on : chosen.has(each)));
    props.onChange(gpusOf(ids.length ? ids.join(',') : 'none', true));
  };
  if (devices.length && value.kind !== 'count') {
    return (
      <fieldset {...field} tabIndex={-1}>
        <legend>{trans.__('GPUs')}</legend>
        <label className="jp-ImageManager-runTick">
          <input
            type="checkbox"
            checked={value.kind === 'all'}
            onChange={event =>
              props.onChange(gpusOf(event.target.checked ? 'all' : 'none'))
            }
          />
          {trans.__('All')}
        </label>
        {devices.map(each => (
          <label key={each.id} className="jp-ImageManager-runTick">
            <input
              type="checkbox"
              checked={value.kind === 'all' || chosen.has(each.id)}
              disabled={value.kind === 'all'}
              onChange={event => toggle(each.id, event.target.checked)}
            />
            <span>
              {each.name} <span className="jp-ImageManager-sub">{each.id}</span>
            </span>
          </label>
        ))}
        {props.problem}
      </fieldset>
    );
  }
  return (
    <div className="jp-ImageManager-runField">
      <label htmlFor={field.id}>{trans.__('GPUs')}</label>
      <select
        {...field}
        className="jp-mod-styled"
        value={gpuWord(value)}
        onChange={event => props.onChange(gpusOf(event.target.value))}
      >
        {[...new Set([...words, gpuWord(value)])].map(word => (
          <option key={word} value={word}>
            {word === 'none'
              ? trans.__('None')
              : word === 'all'
                ? trans.__('All')
                : word}
          </option>
        ))}
      </select>
      {props.problem}
    </div>
  );
}

function gpuWord({ kind, count, ids }: Gpus): string {
  return kind === 'count'
    ? String(count)
    : kind === 'ids'
      ? ids.join(',')
      : kind;
}

/**
 * @param ids - Whether the word lists ids, which may be numbers too.
 */
function gpusOf(word: string, ids = false): Gpus {
  const none = { count: 0, ids: [], optional: false };
  if (word === 'none' || word === 'all') {
    return { ...none, kind: word };
  }
  return !ids && /^\d+$/.test(word)
    ? { ...none, kind: 'count', count: Number(word) }
    : { ...none, kind: 'ids', ids: word.split(',') };
}
