import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';

import type { ImageManagerAPI } from './api';
import { elapsed, isDone } from './format';
import { isInside } from './kernels';
import { canonicalName } from './modules';
import type { IMissingModule } from './modules';
import { RequestError } from './request';
import type { IBuild, IImage, IImageManager, IProject } from './tokens';

/**
 * What can be done about a module that a cell lacks.
 *
 * - `offer`: a next version of `base` with the package
 * - `first`: an image with it, as there is none to add to
 * - `held`: `base` has the package, which does not bring the module
 * - `here`: `base` is active and has it, but this kernel runs elsewhere
 * - `waiting`: a version with it is being made, or is
 * - `done`: the cell ran where it is
 */
export type OfferKind =
  'offer' | 'first' | 'held' | 'here' | 'waiting' | 'done';

/**
 * A module that a cell lacks, with what can be done.
 */
export interface IOffer extends IMissingModule {
  kind: OfferKind;
  project: IProject | null;
  /** The image that is added to, or that has it. */
  base: IImage | null;
  /** Seconds that a version usually takes; null when none was made yet. */
  estimate: number | null;
  /** Why it was not accepted; empty otherwise. */
  error: string;
}

/**
 * The notebook in which a module is missing.
 */
export interface INotebookHost {
  /** Of the notebook, relative to the server's root. */
  path: () => string;
  kernelId: () => string | undefined;
  /** Whether its kernel is at work. */
  busy: () => boolean;
  /** Grows with each cell that is run. */
  runs: () => number;
  /** How many other kernels run in the project. */
  others: (project: IProject) => Promise<number>;
  /** Restart the kernel and run these cells. */
  goOn: (cells: ReadonlyArray<object>) => Promise<void>;
}

/**
 * Say what can be done about an offer's package.
 *
 * @param kernelId - Of the notebook's kernel.
 */
export async function choose(
  api: ImageManagerAPI,
  offer: IOffer,
  kernelId: string | undefined
): Promise<void> {
  const { project } = offer;
  const kernel = (await api.kernels()).find(
    each => each.kernel_id === kernelId
  );
  const id = project?.active_image_id ?? kernel?.image_id;
  if (!project || !id) {
    offer.kind = 'first';
    return;
  }
  const [base, builds, images] = await Promise.all([
    api.image(id),
    api.builds(project.id),
    api.images(project.id)
  ]);
  const name = canonicalName(offer.distribution);
  const held = base.report?.packages.some(
    each => canonicalName(each.name) === name
  );
  offer.base = base;
  offer.kind = !held
    ? 'offer'
    : kernel?.image_id === id || base.state !== 'ready'
      ? 'held'
      : 'here';
  offer.estimate = usualSeconds(base, images, builds);
}

/**
 * Look once more at offers that nobody has taken, after what is active has changed.
 */
export async function reconsider(
  api: ImageManagerAPI,
  offers: ReadonlyArray<IOffer>,
  host: INotebookHost
): Promise<void> {
  const project = await api.projectOf(host.path());
  for (const offer of offers) {
    if (project?.active_image_id !== offer.project?.active_image_id) {
      offer.project = project;
      await choose(api, offer, host.kernelId());
    }
  }
}

/**
 * How long a version of an image usually takes; null when none was made yet.
 */
function usualSeconds(
  base: IImage,
  images: ReadonlyArray<IImage>,
  builds: ReadonlyArray<IBuild>
): number | null {
  const versions = new Set(
    images.filter(each => each.name === base.name).map(each => each.id)
  );
  const seconds = builds
    .filter(
      build =>
        build.kind === 'build' &&
        build.state === 'succeeded' &&
        versions.has(build.image_id)
    )
    .map(build => elapsed(build))
    .sort((a, b) => a - b);
  return seconds.length ? seconds[seconds.length >> 1] : null;
}

/** Milliseconds between two looks at a build. */
export const INTERVAL = 1000;

const underWay = new WeakMap<
  IImageManager,
  Map<string, { image: IImage; build: IBuild }>
>();

/**
 * Versions that are being made by asking for packages on a page, by project: what is added next stands on them.
 */
export function versionsUnderWay(
  manager: IImageManager
): Map<string, { image: IImage; build: IBuild }> {
  const found = underWay.get(manager) ?? new Map();
  underWay.set(manager, found);
  return found;
}

/**
 * Ask for the next version of an image, with more packages.
 */
export async function requestVersion(
  manager: IImageManager,
  project: { id: string },
  from: IImage,
  packages: string[]
): Promise<{ image: IImage; build: IBuild }> {
  const { api } = manager;
  const build = await api.build(project.id, {
    name: from.name,
    from_image: from.id,
    add_packages: packages
  });
  const made = { image: await api.image(build.image_id), build };
  versionsUnderWay(manager).set(project.id, made);
  return made;
}

/**
 * The version of an image that is being made by asking for packages on this page; null when none is.
 */
export async function newerVersion(
  manager: IImageManager,
  project: IProject,
  base: IImage
): Promise<IImage | null> {
  const found = versionsUnderWay(manager).get(project.id);
  if (!found || found.image.name !== base.name) {
    return null;
  }
  const build = await buildNow(manager.api, found.build.id);
  return build && !isDone(build) ? found.image : null;
}

/**
 * A build as it is now; null for one that was deleted with its image.
 */
export async function buildNow(
  api: ImageManagerAPI,
  id: string
): Promise<IBuild | null> {
  try {
    return await api.getBuild(id);
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) {
      return null;
    }
    throw error;
  }
}

/**
 * Delete the version of a build that was cancelled: nothing is in it.
 */
export async function discard(
  manager: IImageManager,
  build: IBuild
): Promise<void> {
  try {
    while (!isDone(await manager.api.getBuild(build.id))) {
      await new Promise(resolve => setTimeout(resolve, INTERVAL));
    }
    await manager.api.deleteImage(build.image_id);
    await manager.refresh();
  } catch {
    // It stays in the list as cancelled, and can be deleted there.
  }
}

/**
 * Names of what lies where Python looks before any package: beside a notebook, and above it in its project.
 */
export async function namesBeside(
  contents: Contents.IManager,
  notebook: string,
  project: IProject | null
): Promise<string[]> {
  let folder = PathExt.dirname(notebook);
  const root = project?.jupyter_path ?? folder;
  const folders = [folder];
  while (folder !== root && isInside(folder, root)) {
    folder = PathExt.dirname(folder);
    folders.push(folder);
  }
  const names = await Promise.all(
    folders.map(async each => {
      const beside = await namesIn(contents, each);
      return beside.includes('src')
        ? [...beside, ...(await namesIn(contents, PathExt.join(each, 'src')))]
        : beside;
    })
  );
  return names.flat();
}

async function namesIn(
  contents: Contents.IManager,
  folder: string
): Promise<string[]> {
  try {
    const model = await contents.get(folder, { content: true });
    return model.type === 'directory'
      ? (model.content as Contents.IModel[]).map(each => each.name)
      : [];
  } catch {
    return []; // it cannot be listed: nothing is known of it
  }
}
