import type { Session } from '@jupyterlab/services';

import type { IProject, IProjectKernel, IRunningKernel } from './tokens';

/**
 * Whether a path lies in a folder; both relative to the server's root.
 */
export function isInside(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/**
 * The nearest project of a path.
 */
export function nearestProject(
  path: string,
  projects: ReadonlyArray<IProject>
): IProject | null {
  let nearest: IProject | null = null;
  let length = -1;
  for (const project of projects) {
    const folder = project.jupyter_path;
    if (folder !== null && folder.length > length && isInside(path, folder)) {
      nearest = project;
      length = folder.length;
    }
  }
  return nearest;
}

/**
 * The kernels of a project's sessions, and whether each runs where a new one would.
 */
export function kernelsOf(
  project: IProject,
  projects: ReadonlyArray<IProject>,
  sessions: ReadonlyArray<Session.IModel>,
  running: ReadonlyArray<IRunningKernel>
): IProjectKernel[] {
  const inImages = new Map(running.map(kernel => [kernel.kernel_id, kernel]));
  const kernels: IProjectKernel[] = [];
  for (const session of sessions) {
    const kernelId = session.kernel?.id;
    if (
      !kernelId ||
      nearestProject(sessionPath(session), [...projects, project])?.id !==
        project.id
    ) {
      continue;
    }
    const image = inImages.get(kernelId);
    kernels.push({
      kernelId,
      path: sessionPath(session),
      image: image?.image ?? null,
      imageId: image?.image_id ?? null,
      stale: (image?.image_id ?? null) !== project.active_image_id
    });
  }
  return kernels;
}

function sessionPath(session: Session.IModel): string {
  // A drive's name has no place on the server's disk.
  const colon = session.path.indexOf(':');
  return colon >= 0 && !session.path.slice(0, colon).includes('/')
    ? session.path.slice(colon + 1)
    : session.path;
}
