import { PathExt } from '@jupyterlab/coreutils';
import type { Event, Session } from '@jupyterlab/services';
import { Debouncer, Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { ISignal, IStream } from '@lumino/signaling';

import type { ImageManagerAPI } from './api';
import { ChangeWatch } from './changes';
import { Connection } from './connection';
import { isDone } from './format';
import { kernelsOf } from './kernels';
import { StorageAPI } from './storageapi';
import type { IPull } from './storageapi';
import { Surroundings } from './surroundings';
import type {
  IBuild,
  IImage,
  IImageManager,
  IKernelEvent,
  IProject,
  IProjectKernel,
  IRunningKernel,
  ISystemImage,
  IUsage,
  ServerState
} from './tokens';

const SCHEMA = 'https://schema.jupyter.org/jupyter_image_manager/';

/**
 * Milliseconds between two looks without an event, and while a build runs.
 */
const IDLE_INTERVAL = 30_000;
const BUSY_INTERVAL = 3_000;

/**
 * The state of the project in front.
 *
 * #### Notes
 * Events only tell that something has changed; what is shown is always fetched. A poll covers lost events.
 */
export class ImageManagerModel implements IImageManager {
  /**
   * Construct a model; it asks the server at once.
   */
  constructor(options: ImageManagerModel.IOptions) {
    this.api = options.api;
    this._connection = new Connection(options.api, options.version);
    this.api.faulted.connect(this._onFault, this);
    this._surroundings = new Surroundings(options.api);
    this._surroundings.changed.connect(this._onSurroundings, this);
    this._refreshSoon = new Debouncer(() => this._poll.refresh(), 150);
    this._changes = new ChangeWatch({
      api: options.api,
      events: options.events ?? null,
      isWanted: () => this.server === 'ready',
      onChange: () => this._soon(),
      start: options.start,
      standby: options.standby ?? 'when-hidden'
    });
    this._poll = new Poll({
      auto: false,
      factory: () => this._refresh(),
      frequency: { interval: IDLE_INTERVAL, backoff: true, max: 300_000 },
      name: 'jupyter-image-manager:model',
      standby: options.standby ?? 'when-hidden'
    });
    void Promise.resolve(options.start).then(() => {
      if (!this._isDisposed) {
        void this._poll.start();
      }
    });
    options.events?.connect(this._onEvent, this);
    if (options.sessions) {
      this._sessions = options.sessions;
      this._sessions.runningChanged.connect(this._onSessions, this);
    }
  }

  readonly api: ImageManagerAPI;

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get kernelEvent(): ISignal<this, IKernelEvent> {
    return this._kernelEvent;
  }

  get buildEnded(): ISignal<this, IBuild> {
    return this._buildEnded;
  }

  get server(): ServerState {
    return this._connection.state;
  }

  get known(): boolean {
    return this._connection.known;
  }

  get serverVersion(): string {
    return this._connection.serverVersion;
  }

  get engineProblem(): string {
    return this._connection.engineProblem;
  }

  get path(): string {
    return this._path;
  }

  /** Whether it is known what is in front. */
  get hasPath(): boolean {
    return this._hasPath;
  }

  get folder(): string {
    return this._isFolder ? this._path : PathExt.dirname(this._path);
  }

  get project(): IProject | null {
    return this._project;
  }

  get images(): ReadonlyArray<IImage> {
    return this._images;
  }

  get systemImages(): ReadonlyArray<ISystemImage> {
    return this._surroundings.systemImages;
  }

  get usage(): IUsage | null {
    return this._surroundings.usage;
  }

  get builds(): ReadonlyArray<IBuild> {
    return this._builds;
  }

  get pulls(): ReadonlyArray<IPull> {
    return this._pulls;
  }

  get kernels(): ReadonlyArray<IRunningKernel> {
    return this._kernels;
  }

  get projectKernels(): ReadonlyArray<IProjectKernel> {
    if (!this._project || !this._sessions) {
      return [];
    }
    return kernelsOf(
      this._project,
      this._projects,
      [...this._sessions.running()],
      this._kernels
    );
  }

  get error(): string {
    return this._error;
  }

  get loaded(): boolean {
    return this._loaded;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    Signal.disconnectReceiver(this);
    this._changes.dispose();
    this._refreshSoon.dispose();
    this._poll.dispose();
    Signal.clearData(this);
  }

  setPath(path: string, isFolder: boolean): void {
    if (this._hasPath && path === this._path && isFolder === this._isFolder) {
      return;
    }
    this._hasPath = true;
    this._path = path;
    this._isFolder = isFolder;
    this._generation += 1;
    this._soon();
    this._stateChanged.emit();
  }

  async refresh(): Promise<void> {
    await this._poll.refresh();
    await this._poll.tick;
  }

  image(id: string): IImage | undefined {
    return this._images.find(image => image.id === id);
  }

  lastBuild(image: IImage): IBuild | undefined {
    return image.last_build_id
      ? this._known.get(image.last_build_id)
      : undefined;
  }

  private _onEvent(_: unknown, event: Event.Emission): void {
    const schema = String(event.schema_id ?? '');
    if (!schema.startsWith(SCHEMA)) {
      return;
    }
    if (schema.startsWith(`${SCHEMA}kernel/`)) {
      this._kernelEvent.emit(event as unknown as IKernelEvent);
    }
    this._soon();
  }

  private _soon(): void {
    void this._refreshSoon.invoke().catch(ignoreDisposal);
  }

  private _onFault(): void {
    if (this.server === 'ready') {
      this._soon(); // that it is no more is learned by this
    }
  }

  private _onSurroundings(): void {
    this._stateChanged.emit();
  }

  private _onSessions(): void {
    this._stateChanged.emit();
    this._soon();
  }

  private async _refresh(): Promise<void> {
    const generation = this._generation;
    try {
      if (!(await this._connection.greet())) {
        return;
      }
      if (!this._hasPath) {
        return; // nothing is in front yet
      }
      await this._changes.begin();
      const project = await this.api.projectOf(this._path);
      const [images, builds, pulls, projects, kernels] = await Promise.all([
        project ? this.api.images(project.id) : [],
        project ? this.api.builds(project.id) : [],
        project ? new StorageAPI(this.api).pulls(project.id) : [],
        this.api.projects(),
        this._connection.ofEngine(this.api.kernels(), [])
      ]);
      if (generation !== this._generation || this._isDisposed) {
        return; // another folder came to the front meanwhile; its own refresh is on the way
      }
      this._project = project;
      this._images = images;
      this._projects = projects;
      this._kernels = kernels;
      this._pulls = pulls;
      this._setBuilds(builds);
      this._error = '';
      this._loaded = true;
      void this._surroundings.look(project, images);
    } catch (error) {
      if (generation !== this._generation || this._isDisposed) {
        return;
      }
      this._error = this._connection.failed(error);
      this._loaded = this._loaded || this._error !== '';
    } finally {
      if (!this._isDisposed) {
        this._setPace();
        this._stateChanged.emit();
      }
    }
  }

  private _setBuilds(builds: IBuild[]): void {
    const before = this._builds;
    this._known = new Map(builds.map(build => [build.id, build]));
    this._builds = builds.filter(build => !isDone(build));
    for (const old of before) {
      const now = this._known.get(old.id);
      if (now && isDone(now)) {
        this._buildEnded.emit(now);
      }
    }
  }

  private _setPace(): void {
    const interval =
      this._connection.interval ??
      (this._builds.length + this._pulls.length
        ? BUSY_INTERVAL
        : IDLE_INTERVAL);
    if (this._poll.frequency.interval !== interval) {
      this._poll.frequency = { ...this._poll.frequency, interval };
    }
  }

  private _connection: Connection;
  private _changes: ChangeWatch;
  private _surroundings: Surroundings;
  private _poll: Poll;
  private _refreshSoon: Debouncer;
  private _sessions: Session.IManager | null = null;
  private _generation = 0;
  private _path = '';
  private _hasPath = false;
  private _isFolder = true;
  private _project: IProject | null = null;
  private _projects: IProject[] = [];
  private _images: IImage[] = [];
  private _builds: IBuild[] = [];
  private _pulls: IPull[] = [];
  private _known = new Map<string, IBuild>();
  private _kernels: IRunningKernel[] = [];
  private _error = '';
  private _loaded = false;
  private _isDisposed = false;
  private _stateChanged = new Signal<this, void>(this);
  private _kernelEvent = new Signal<this, IKernelEvent>(this);
  private _buildEnded = new Signal<this, IBuild>(this);
}

/**
 * Options and statics of {@link ImageManagerModel}.
 */
export namespace ImageManagerModel {
  /**
   * What a model is made from.
   */
  export interface IOptions {
    api: ImageManagerAPI;
    /** Version of this front end. */
    version: string;
    /** The server's event stream, where there is one. */
    events?: IStream<unknown, Event.Emission> | null;
    /** Running sessions, to tell which kernels of the project run elsewhere. */
    sessions?: Session.IManager;
    /** When to begin to ask; at once when left out. */
    start?: Promise<unknown>;
    standby?: Poll.Standby | (() => boolean | Poll.Standby);
  }
}

function ignoreDisposal(): void {
  // A debouncer rejects what waits when it is disposed.
}
