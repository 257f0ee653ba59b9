import { PathExt } from '@jupyterlab/coreutils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { isDockerfile } from './dockerfile';
import { isInside } from './kernels';

/**
 * What an image can be built from, by its file's name.
 */
export type RecipeFileKind = 'dockerfile' | 'requirements' | 'environment';

/**
 * What a file is good for; null when no image can be built from it.
 */
export function kindOfFile(name: string): RecipeFileKind | null {
  if (isDockerfile(name)) {
    return 'dockerfile';
  }
  if (/^requirements([-_.].+)?\.txt$/i.test(name)) {
    return 'requirements';
  }
  return /^environment\.ya?ml$/i.test(name) ? 'environment' : null;
}

/**
 * Arguments of the command that opens the page of a new image, for a file of the project.
 *
 * @param path - Of the file, relative to the server's root.
 * @param root - Of the project, relative to the server's root.
 * @returns Null when no image can be built from the file, or it lies outside of the project.
 */
export function newImageArgs(
  path: string,
  root: string
): ReadonlyPartialJSONObject | null {
  const kind = kindOfFile(PathExt.basename(path));
  if (!kind || !isInside(path, root)) {
    return null;
  }
  const file = root ? path.slice(root.length + 1) : path;
  switch (kind) {
    case 'dockerfile':
      return { source: 'dockerfile', file };
    case 'requirements':
      return { source: 'template', requirements_file: file };
    case 'environment':
      return { source: 'template', environment_file: file };
  }
}
