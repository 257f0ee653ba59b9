import * as React from 'react';

/**
 * One of a few, side by side.
 */
export function Choice<T extends string>(props: {
  legend: string;
  name: string;
  value: T;
  options: [T, string][];
  onChange: (value: T) => void;
}): JSX.Element {
  return (
    <fieldset className="jp-ImageManager-field">
      <legend>{props.legend}</legend>
      <div className="jp-ImageManager-segments">
        {props.options.map(([value, label]) => (
          <label key={value} data-checked={value === props.value || undefined}>
            <input
              type="radio"
              name={props.name}
              value={value}
              checked={value === props.value}
              onChange={() => props.onChange(value)}
            />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
