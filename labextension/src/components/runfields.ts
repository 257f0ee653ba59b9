/**
 * What marks the control of a run setting, and its refusal.
 */
export interface IField {
  id: string;
  'aria-invalid'?: boolean;
  'aria-describedby'?: string;
}

/**
 * Names with their values.
 */
export type Rows = [string, string][];
