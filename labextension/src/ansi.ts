/**
 * A run of text in one style.
 */
export interface IStyledText {
  text: string;
  /** Class modifiers, e.g. `fg-1 bold`; empty for plain text. */
  style: string;
}

interface IStyle {
  foreground: number | null;
  background: number | null;
  bold: boolean;
  underline: boolean;
}

// All control sequences; only SGR ("m") has an effect, the rest is dropped: a log is foreign text.
const CONTROL =
  // eslint-disable-next-line no-control-regex
  /\x1b\[([0-9;:?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)|\x1b.?|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]/g;

/**
 * Split a log line into runs of text with their SGR style.
 *
 * #### Notes
 * Text after a lone carriage return replaces what stood before it, as on a terminal.
 */
export function parseAnsi(line: string): IStyledText[] {
  const visible = line.replace(/\r+$/, '');
  const text = visible.slice(visible.lastIndexOf('\r') + 1);
  const runs: IStyledText[] = [];
  const style: IStyle = {
    foreground: null,
    background: null,
    bold: false,
    underline: false
  };
  let last = 0;
  const push = (end: number) => {
    if (end > last) {
      const piece = text.slice(last, end);
      const name = className(style);
      const previous = runs[runs.length - 1];
      if (previous && previous.style === name) {
        previous.text += piece;
      } else {
        runs.push({ text: piece, style: name });
      }
    }
  };
  for (const match of text.matchAll(CONTROL)) {
    push(match.index);
    last = match.index + match[0].length;
    if (match[2] === 'm') {
      apply(style, match[1]);
    }
  }
  push(text.length);
  return runs;
}

/**
 * The text of a log line without control sequences.
 */
export function plainText(line: string): string {
  return parseAnsi(line)
    .map(run => run.text)
    .join('');
}

function className(style: IStyle): string {
  const names: string[] = [];
  if (style.foreground !== null) {
    names.push(`fg-${style.foreground}`);
  }
  if (style.background !== null) {
    names.push(`bg-${style.background}`);
  }
  if (style.bold) {
    names.push('bold');
  }
  if (style.underline) {
    names.push('underline');
  }
  return names.join(' ');
}

function apply(style: IStyle, parameters: string): void {
  const codes = parameters.split(/[;:]/).map(code => Number(code || 0));
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code === 0) {
      Object.assign(style, {
        foreground: null,
        background: null,
        bold: false,
        underline: false
      });
    } else if (code === 1) {
      style.bold = true;
    } else if (code === 22) {
      style.bold = false;
    } else if (code === 4) {
      style.underline = true;
    } else if (code === 24) {
      style.underline = false;
    } else if (code >= 30 && code <= 37) {
      style.foreground = code - 30;
    } else if (code >= 90 && code <= 97) {
      style.foreground = code - 90;
    } else if (code === 39) {
      style.foreground = null;
    } else if (code >= 40 && code <= 47) {
      style.background = code - 40;
    } else if (code >= 100 && code <= 107) {
      style.background = code - 100;
    } else if (code === 49) {
      style.background = null;
    } else if (code === 38 || code === 48) {
      // 256 colours and true colour have no place in a theme: the first sixteen are mapped, others stay plain.
      if (codes[i + 1] === 5) {
        const index = codes[i + 2];
        const colour = index < 16 ? index % 8 : null;
        if (code === 38) {
          style.foreground = colour;
        } else {
          style.background = colour;
        }
        i += 2;
      } else if (codes[i + 1] === 2) {
        i += 4;
      }
    }
  }
}
