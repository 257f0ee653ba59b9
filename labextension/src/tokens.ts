import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { ImageManagerAPI } from './api';
import type { IPull } from './storageapi';

/**
 * Id under which the server environment can be compared as an image is.
 */
export const SERVER_ENVIRONMENT = 'server-environment';

/**
 * What an image is good for.
 */
export type ImageState =
  'building' | 'ready' | 'unusable' | 'failed' | 'missing';

/**
 * Where a build is.
 */
export type BuildState =
  | 'queued'
  | 'building'
  | 'checking'
  | 'saving'
  | 'pushing'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'interrupted';

/**
 * What is known of an image in its registry.
 */
export type RegistryState =
  'none' | 'present' | 'missing' | 'unreachable' | 'forbidden' | 'rate_limited';

/**
 * An immutable, named, versioned environment of one project.
 */
export interface IImage {
  id: string;
  project_id: string;
  name: string;
  version: number;
  /** `name:version` */
  spec: string;
  state: ImageState;
  storage: 'local' | 'registry';
  created: string;
  created_by: string;
  description: string;
  digest: string;
  /** Id of the unpacked image in the engine. */
  engine_image: string;
  /** Bytes. */
  size: number;
  python_version: string;
  architecture: string;
  optimized: boolean;
  /** As last looked up, at `registry_checked`. */
  registry_state: RegistryState;
  registry_checked: string | null;
  /** Where it is in its registry; empty while it was not pushed. */
  repository: string;
  /** Bytes there, compressed. */
  registry_size: number;
  active: boolean;
  project: string;
  warnings: string[];
  running_kernels: number;
  /** Communities whose projects can use it. */
  published_to: string[];
  /** Whether the engine holds it; null when that is not known, as in lists. */
  held: boolean | null;
  last_build_id: string | null;
  /** What stops it, or has stopped it (R60). */
  retirement?: IRetirementNotice | null;
  report?: IReport | null;
}

/**
 * What a retirement means for an image at the moment.
 */
export interface IRetirementNotice {
  retirement_id: string;
  stops: string;
  stopped: boolean;
  /** Begun days counted; 0 once it has stopped. */
  days_left: number;
  /** The warning, or the refusal, with what to do. */
  message: string;
}

/**
 * One thing that the check tried.
 */
export interface ICheckItem {
  id: string;
  title: string;
  ok: boolean;
  required: boolean;
  message: string;
  cure: string[];
  seconds: number;
}

/**
 * What the check found inside an image.
 */
export interface IReport {
  ok: boolean;
  items: ICheckItem[];
  python_version: string;
  os_name: string;
  ipykernel: string;
  packages: { name: string; version: string }[];
}

/**
 * How the kernels of a project run; null for what the administrator set.
 */
export interface IRunSettings {
  /** Bytes. */
  memory: number | null;
  cpus: number | null;
  processes: number | null;
  /** Bytes. */
  shm_size: number | null;
  gpus: {
    kind: 'none' | 'all' | 'count' | 'ids';
    count: number;
    ids: string[];
    optional: boolean;
  };
  environment: Record<string, string>;
  /** By variable, where the secret is found: `env:NAME` or `file:PATH`. */
  secrets: Record<string, string>;
  network: string;
  mounts: { source: string; target: string; read_only: boolean }[];
}

/**
 * A folder whose notebooks' kernels run in its active image.
 */
export interface IProject {
  id: string;
  name: string;
  /** Absolute path on the server. */
  path: string;
  /** Path relative to the server's root; null outside of it. */
  jupyter_path: string | null;
  owner: string;
  active_image_id: string | null;
  previous_image_id: string | null;
  active_image: IImage | null;
  is_default: boolean;
  found: boolean;
  /** Ids of kernels that run in another image than the active one. */
  stale_kernels: string[];
  run_settings: IRunSettings;
  /** What keeps its kernels from working in its folder, each with what to do. */
  warnings: string[];
}

/**
 * Why a build did not succeed.
 */
export interface IBuildFailure {
  message: string;
  code: string;
  instruction: string;
  step: number;
  lines: string[];
  hint: string;
  exit_code: number | null;
}

/**
 * One run that turns a recipe into an image.
 */
export interface IBuild {
  id: string;
  project_id: string;
  image_id: string;
  /** A check makes nothing: it looks once more at an image that is made. */
  kind: 'build' | 'check' | 'push';
  state: BuildState;
  requested_by: string;
  created: string;
  started: string | null;
  finished: string | null;
  step: number;
  steps: number;
  instruction: string;
  /** Seconds in all, from earlier builds. */
  estimate: number | null;
  failure: IBuildFailure | null;
  activate: boolean;
  cancel_requested: boolean;
  log_lines: number;
  attempt: number;
}

/**
 * One line of a build's log; `number` starts at 1.
 */
export interface ILogLine {
  number: number;
  /** Seconds since the build started. */
  time: number;
  step: number;
  text: string;
  stream: 'out' | 'err' | 'meta';
}

/**
 * A kernel that runs in an image.
 */
export interface IRunningKernel {
  kernel_id: string;
  project_id: string;
  image_id: string;
  /** `name:version` */
  image: string;
  notebook: string;
  stale: boolean;
}

/**
 * A kernel of a project, wherever it runs.
 */
export interface IProjectKernel {
  kernelId: string;
  /** Of the session: a notebook or console. */
  path: string;
  /** `name:version`; null in the server environment. */
  image: string | null;
  imageId: string | null;
  /** Whether it runs elsewhere than a new kernel would. */
  stale: boolean;
}

/**
 * What a deletion would do.
 */
export interface IDeletionPreview {
  image_id: string;
  allowed: boolean;
  final: boolean;
  /** Bytes. */
  frees: number;
  used_by: string[];
  reason: string;
  /** That remember it, relative to the project; they do not forbid it. */
  notebooks: string[];
  /** Whether these are all. */
  notebooks_complete: boolean;
}

/**
 * What differs between the packages of two images.
 */
export interface IPackageDiff {
  added: { name: string; version: string }[];
  removed: { name: string; version: string }[];
  changed: [string, string, string][];
}

/**
 * What the server part says about itself.
 */
export interface IStatus {
  version: string;
  engine: {
    ok: boolean;
    message: string;
    version?: string;
    /** As images name it; empty when the engine does not answer. */
    architecture: string;
    /** Bytes; null when the engine does not say. */
    memory: number | null;
    cpus: number | null;
    /** Bytes; null where the engine's machine is not the server's. */
    memory_in_use: number | null;
    /** What serves GPUs; empty where there are none. */
    gpus: string[];
    /** Those that can be asked for by id; empty where they are not known. */
    gpu_devices: { id: string; name: string }[];
  };
  /** The administrator's defaults and bounds for run settings. */
  kernels: {
    memory: number | null;
    cpus: number | null;
    processes: number | null;
    shm_size: number | null;
    max_memory: number | null;
    max_cpus: number | null;
    networks: string[];
    /** Folders of the machine below which something may be mounted. */
    mounts: string[];
  };
  active_builds: number;
}

/**
 * A system image, seen by every project; the first is the server environment.
 */
export interface ISystemImage {
  /** Null for one that the engine does not hold. */
  id: string | null;
  name: string;
  /** Absent for the server environment and for what the engine does not hold. */
  version?: number;
  spec?: string;
  state?: ImageState;
  description?: string;
  python_version?: string;
  /** Bytes. */
  size?: number;
  warnings?: string[];
}

/**
 * What a project's images take; null where a value is not limited or not known.
 */
export interface IUsage {
  images: number;
  ready: number;
  bytes: number;
  max_images: number | null;
  max_bytes: number | null;
  disk_free: number | null;
  disk_total: number | null;
  /** What local images and optimized copies hold; what the quota of bytes is about. */
  optimized_bytes?: number;
  /** Quotas and disks that are nearly used up. */
  warnings?: string[];
}

/**
 * What a notebook remembers of the image that it last ran in.
 */
export interface INotebookMemory {
  /** `name:version` */
  image: string;
  digest: string;
}

/**
 * A kernel event.
 */
export interface IKernelEvent {
  action: 'started' | 'died' | 'removed';
  kernel_id: string;
  project_id: string;
  notebook?: string;
  reason?: string;
  message?: string;
}

/**
 * Whether the server part can be talked to.
 *
 * - `unknown`: not asked yet
 * - `ready`
 * - `absent`: the server does not know our routes
 * - `mismatch`: the server part is of another version
 * - `unreachable`: the server did not answer
 * - `signedOut`: the server does not know any more who asks
 */
export type ServerState =
  'unknown' | 'ready' | 'absent' | 'mismatch' | 'unreachable' | 'signedOut';

/**
 * The state of the project in front, kept up to date.
 */
export interface IImageManager extends IDisposable {
  /** The typed REST client. */
  readonly api: ImageManagerAPI;
  /** Emitted whenever anything below has changed. */
  readonly stateChanged: ISignal<IImageManager, void>;
  /** Emitted for each kernel event of the server. */
  readonly kernelEvent: ISignal<IImageManager, IKernelEvent>;
  /** Emitted when a build that was active has ended. */
  readonly buildEnded: ISignal<IImageManager, IBuild>;
  readonly server: ServerState;
  /** Whether the server part has answered once, in the version of this page. */
  readonly known: boolean;
  /** Version of the server part, when it answered. */
  readonly serverVersion: string;
  /** What the server says about its engine; empty when all is well. */
  readonly engineProblem: string;
  /** The folder or file in front, relative to the server's root. */
  readonly path: string;
  /** The folder of `path`. */
  readonly folder: string;
  /** The nearest project; null when there is none. */
  readonly project: IProject | null;
  /** All images of the project, newest first. */
  readonly images: ReadonlyArray<IImage>;
  /** What every project can activate; first the server environment. */
  readonly systemImages: ReadonlyArray<ISystemImage>;
  /** What the project's images take; null while it is not known. */
  readonly usage: IUsage | null;
  /** Builds of the project that are not finished. */
  readonly builds: ReadonlyArray<IBuild>;
  /** Pulls that bring images of the project to this machine now. */
  readonly pulls: ReadonlyArray<IPull>;
  /** All kernels that run in images. */
  readonly kernels: ReadonlyArray<IRunningKernel>;
  /** The kernels of the project in front, wherever they run. */
  readonly projectKernels: ReadonlyArray<IProjectKernel>;
  /** Why the last refresh did not succeed; empty otherwise. */
  readonly error: string;
  /** Whether the project in front has been loaded once. */
  readonly loaded: boolean;
  /** Follow another file or folder. */
  setPath(path: string, isFolder: boolean): void;
  /** Ask the server again, now. */
  refresh(): Promise<void>;
  /** An image of the project in front, by id. */
  image(id: string): IImage | undefined;
  /** The last build of an image that the model has seen. */
  lastBuild(image: IImage): IBuild | undefined;
}

/**
 * The token of the image manager.
 */
export const IImageManager = new Token<IImageManager>(
  'jupyter-image-manager:IImageManager',
  'The images of the project in front, kept up to date.'
);
