/**
 * A line of a difference between two texts; `gap` stands for lines that are the same and left out.
 */
export interface IDiffLine {
  kind: 'same' | 'added' | 'removed' | 'gap';
  /** Number in the old text; null where it has none. */
  old: number | null;
  /** Number in the new text; null where it has none. */
  now: number | null;
  text: string;
  /** Lines that are left out. */
  count?: number;
}

/** Lines that stay around a change. */
const CONTEXT = 3;

/**
 * The lines in which two texts differ, with some around them; empty when they are the same.
 *
 * #### Notes
 * What compares them is loaded on first use.
 */
export async function diffLines(
  old: string,
  now: string
): Promise<IDiffLine[]> {
  const { structuredPatch } = await import('diff');
  const [before, after] = [ended(old), ended(now)];
  const { hunks } = structuredPatch('', '', before, after, '', '', {
    context: CONTEXT
  });
  const lines: IDiffLine[] = [];
  const gap = (count: number) => {
    if (count > 0) {
      lines.push({ kind: 'gap', old: null, now: null, text: '', count });
    }
  };
  let next = 1; // of the old text
  for (const hunk of hunks) {
    gap(hunk.oldStart - next);
    let [left, right] = [hunk.oldStart, hunk.newStart];
    for (const line of hunk.lines) {
      const text = line.slice(1);
      if (line.startsWith('+')) {
        lines.push({ kind: 'added', old: null, now: right++, text });
      } else if (line.startsWith('-')) {
        lines.push({ kind: 'removed', old: left++, now: null, text });
      } else {
        lines.push({ kind: 'same', old: left++, now: right++, text });
      }
    }
    next = left;
  }
  if (lines.length) {
    gap(before.split('\n').length - next);
  }
  return lines;
}

/** A text whose last line ends as the others do. */
function ended(text: string): string {
  const lines = text.replace(/\r\n/g, '\n').replace(/\n+$/, '');
  return lines && `${lines}\n`;
}
