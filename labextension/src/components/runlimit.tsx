import * as React from 'react';

import type { IField } from './runfields';

/**
 * A limit on a slider, which may also be none.
 */
export function Limit(props: {
  field: IField;
  label: string;
  tick: string;
  value: number | null;
  least: number;
  most: number;
  step: number;
  /** Where the slider begins when a limit is wanted. */
  first: number;
  format: (value: number) => string;
  usual: string;
  ends: string | 0 | null;
  /** How much is in use now, in words; empty where that is not known. */
  inUse?: string;
  onChange: (value: number | null) => void;
  problem: JSX.Element | null;
}): JSX.Element {
  const { value, format, field } = props;
  return (
    <div className="jp-ImageManager-runField">
      <label htmlFor={field.id}>{props.label}</label>
      <div className="jp-ImageManager-slider">
        <input
          {...field}
          type="range"
          min={Math.min(props.least, props.most)}
          max={props.most}
          step={props.step}
          value={value ?? props.most}
          disabled={value === null}
          aria-valuetext={value === null ? props.usual : format(value)}
          onChange={event => props.onChange(Number(event.target.value))}
        />
        <output htmlFor={field.id}>
          {value === null
            ? props.usual
            : [format(value), props.ends].filter(Boolean).join(' ')}
        </output>
      </div>
      <label className="jp-ImageManager-runTick">
        <input
          type="checkbox"
          checked={value !== null}
          onChange={event =>
            props.onChange(event.target.checked ? props.first : null)
          }
        />
        {props.tick}
      </label>
      {props.inUse && <p className="jp-ImageManager-sub">{props.inUse}</p>}
      {props.problem}
    </div>
  );
}
