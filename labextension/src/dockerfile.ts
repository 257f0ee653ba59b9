import type { IMend } from './recipe';

/**
 * Whether a file's name is that of a Dockerfile.
 */
export function isDockerfile(name: string): boolean {
  return /^(Dockerfile|Containerfile)(\..+)?$|\.[Dd]ockerfile$/.test(name);
}

/**
 * A text after an edit of whole lines.
 */
export function mended(text: string, edit: IMend): string {
  const lines = text.split('\n');
  lines.splice(edit.line - 1, edit.end_line - edit.line + 1, ...edit.lines);
  return lines.join('\n');
}

/**
 * The lines of a text that another has not.
 */
export function linesOnlyIn(text: string, other: string): string[] {
  const known = new Set(other.split('\n').map(line => line.trim()));
  return text
    .split('\n')
    .filter(line => line.trim() && !known.has(line.trim()));
}
