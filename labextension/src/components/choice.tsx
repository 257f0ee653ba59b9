import * as React from 'react';

/**
 * One of a few, side by side.
 */
export function Choice(props: {
  legend: string;
  name: string;
  value: string;
  options: [string, string][];
  onChange: (value: string) => void;
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
