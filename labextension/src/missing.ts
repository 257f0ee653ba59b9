import type { Contents } from '@jupyterlab/services';
import { Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { attended } from './attended';
import { isDone } from './format';
import { distributionOf } from './modules';
import {
  INTERVAL,
  buildNow,
  choose,
  discard,
  namesBeside,
  newerVersion,
  reconsider,
  requestVersion,
  versionsUnderWay
} from './offers';
import type { INotebookHost, IOffer, OfferKind } from './offers';
import { messageOf, refusalOf } from './request';
import type { IBuild, IImage, IImageManager, IProject } from './tokens';

/** Milliseconds between two looks at a build, at most, while the server does not answer. */
const LONGEST_INTERVAL = 10_000;

/**
 * The missing modules of one notebook, and the version that is made for it.
 *
 * #### Notes
 * All cells that wait go on together, in the newest version.
 */
export class MissingModules {
  constructor(private readonly _options: MissingModules.IOptions) {
    _options.manager.stateChanged.connect(this._onState, this);
  }

  /** Emitted whenever anything below has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Where the version is that is made. */
  get stage(): MissingModules.Stage {
    return this._stage;
  }

  /** The last build that was asked for. */
  get build(): IBuild | null {
    return this._build;
  }

  /** The version that is made. */
  get image(): IImage | null {
    return this._image;
  }

  /** Why the last step did not succeed; empty otherwise. */
  get error(): string {
    return this._error;
  }

  /** Whether cells were run since the package was asked for: a restart loses more than it did. */
  get workedOn(): boolean {
    const { host } = this._options;
    return host.busy() || host.runs() !== this._runs;
  }

  /** How many other kernels ran in the project when the version was ready. */
  get others(): number {
    return this._others;
  }

  /** The offer of a cell. */
  offer(cell: object): IOffer | undefined {
    return this._offers.get(cell);
  }

  dispose(): void {
    this._poll?.dispose();
    this._attend(false);
    Signal.clearData(this);
  }

  /**
   * Find out what can be done about a module.
   *
   * @returns Null when there is nothing to offer.
   */
  async look(cell: object, dotted: string): Promise<IOffer | null> {
    const { manager, host } = this._options;
    const { api } = manager;
    if (manager.server !== 'ready' || manager.engineProblem) {
      return null;
    }
    const path = host.path();
    const project = await api.projectOf(path);
    const own = await namesBeside(this._options.contents, path, project);
    const missing = distributionOf(dotted, own);
    if (!missing) {
      return null;
    }
    const offer: IOffer = {
      ...missing,
      kind: 'first',
      project,
      base: null,
      estimate: null,
      error: ''
    };
    await choose(api, offer, host.kernelId());
    if (this._asked.has(offer.distribution)) {
      offer.kind = 'waiting'; // the cell was run once more meanwhile
      this._attend(true);
    }
    this._offers.set(cell, offer);
    this._changed.emit();
    return offer;
  }

  /** Take the offer of a cell back. */
  dismiss(cell: object): void {
    this._offers.delete(cell);
    if (!this._waiting().length) {
      this._attend(false);
      if (this._stage === 'failed') {
        this._rest();
      }
    }
    this._changed.emit();
  }

  /** A cell ran without an error. */
  succeeded(cell: object): void {
    const offer = this._offers.get(cell);
    if (offer && this._stage === 'using') {
      offer.kind = 'done';
    } else if (offer) {
      this.dismiss(cell);
    }
  }

  /** Offer another package for a module. */
  async rename(cell: object, distribution: string): Promise<void> {
    const offer = this._offers.get(cell);
    if (offer) {
      offer.distribution = distribution;
      offer.known = false;
      offer.error = '';
      const { manager, host } = this._options;
      await choose(manager.api, offer, host.kernelId());
      this._changed.emit();
    }
  }

  /** Make a version with the package of a cell's offer. */
  async add(cell: object): Promise<void> {
    const offer = this._offers.get(cell);
    const before = this._stage;
    if (
      !offer?.base ||
      !offer.project ||
      before === 'asking' ||
      before === 'using'
    ) {
      return;
    }
    // What is ready and not yet in use holds what was added before.
    const base = before === 'ready' && this._image ? this._image : offer.base;
    this._stage = 'asking';
    this._error = '';
    offer.error = '';
    offer.kind = 'waiting';
    this._changed.emit();
    try {
      await this._submit(offer.project, base, offer.distribution);
      this._asked.add(offer.distribution);
      this._runs = this._options.host.runs();
      this._stage = 'making';
      this._follow();
    } catch (error) {
      offer.kind = 'offer';
      offer.error = messageOf(error);
      this._stage = before;
    }
    this._changed.emit();
    void this._options.manager.refresh();
  }

  /** Stop making the version; its package can be asked for again. */
  async cancel(): Promise<void> {
    if (!this._build) {
      return;
    }
    try {
      this._build = await this._options.manager.api.cancel(this._build.id);
    } catch (error) {
      this._error = messageOf(error);
    }
    this._changed.emit();
    void this._poll?.refresh();
  }

  /** Activate what is ready, restart the kernel and run the cells that waited. */
  async use(cell?: object): Promise<void> {
    const { manager, host } = this._options;
    const here = cell && this._offers.get(cell);
    const image = here?.kind === 'here' ? here.base : this._image;
    const cells = here?.kind === 'here' ? [cell!] : this._waiting();
    const project = here?.project ?? this._project;
    if (!image || !project || this._stage === 'using') {
      return;
    }
    this._stage = 'using';
    this._image = image;
    this._project = project;
    this._error = '';
    cells.forEach(each => this._change(each, 'waiting'));
    this._changed.emit();
    try {
      if (project.active_image_id !== image.id) {
        await manager.api.activate(project.id, image.id);
        void manager.refresh();
      }
      await host.goOn(cells);
      // What failed for another reason says so itself.
      this._waiting().forEach(each => this._offers.delete(each));
      this._rest();
    } catch (error) {
      this._error = messageOf(error);
      this._stage = 'ready';
    }
    this._changed.emit();
  }

  private _onState(): void {
    const { manager, host } = this._options;
    const active = manager.project?.active_image_id;
    if (!active || active === this._active) {
      return;
    }
    this._active = active;
    const open = [...this._offers.values()].filter(
      each => each.kind === 'first' || each.kind === 'offer'
    );
    if (open.length) {
      void reconsider(manager.api, open, host)
        .then(() => this._changed.emit())
        .catch(reason => {
          this._error = refusalOf(reason);
          this._changed.emit();
        });
    }
  }

  private async _submit(
    project: IProject,
    base: IImage,
    distribution: string
  ): Promise<void> {
    const { manager } = this._options;
    const { api } = manager;
    let packages = [distribution];
    let from = (await newerVersion(manager, project, base)) ?? base;
    const mine = this._build && (await buildNow(api, this._build.id));
    if (mine && mine.state === 'queued' && this._from) {
      // Nothing is lost by asking for both at once.
      await api.cancel(mine.id);
      void discard(manager, mine);
      packages = [...this._packages, distribution];
      from = this._from;
    }
    const made = await requestVersion(manager, project, from, packages);
    attended.add(made.build.id);
    this._project = project;
    this._from = from;
    this._packages = packages;
    this._build = made.build;
    this._image = made.image;
  }

  private _follow(): void {
    this._poll?.dispose();
    this._poll = new Poll({
      auto: true,
      factory: () => this._step(),
      frequency: { interval: INTERVAL, backoff: true, max: LONGEST_INTERVAL },
      name: 'jupyter-image-manager:missing',
      standby: 'never'
    });
  }

  private async _step(): Promise<void> {
    const asked = this._build;
    if (!asked || this._stage !== 'making') {
      return;
    }
    const { api } = this._options.manager;
    const build = await buildNow(api, asked.id);
    if (this._build?.id !== asked.id || this._stage !== 'making') {
      return; // another package has joined meanwhile
    }
    if (!build) {
      this._withdraw(); // somebody deleted it
      this._changed.emit();
      return;
    }
    this._build = build;
    if (isDone(build)) {
      void this._poll?.stop();
      await this._ended(build);
    }
    this._changed.emit();
  }

  private async _ended(build: IBuild): Promise<void> {
    const { manager, host } = this._options;
    this._image = await manager.api.image(build.image_id);
    const project = this._project!;
    const versions = versionsUnderWay(manager);
    if (versions.get(project.id)?.build.id === build.id) {
      versions.delete(project.id);
    }
    if (build.state === 'cancelled') {
      this._withdraw();
      void discard(manager, build);
      return;
    }
    if (build.state !== 'succeeded' || this._image.state !== 'ready') {
      this._stage = 'failed';
      this._asked.clear();
      return;
    }
    this._others = await host.others(project);
    this._stage = 'ready';
    if (!this.workedOn && !this._others && this._waiting().length) {
      void this.use();
    }
  }

  /** Whether a cell waits for the build: how it ends is told elsewhere otherwise. */
  private _attend(waited: boolean): void {
    if (this._build && this._stage === 'making') {
      if (waited) {
        attended.add(this._build.id);
      } else {
        attended.delete(this._build.id);
      }
    }
  }

  private _rest(): void {
    this._stage = 'idle';
    this._asked.clear();
  }

  private _withdraw(): void {
    this._rest();
    this._build = null;
    this._waiting().forEach(cell => this._change(cell, 'offer'));
  }

  private _waiting(): object[] {
    return [...this._offers.keys()].filter(
      cell => this._offers.get(cell)?.kind === 'waiting'
    );
  }

  private _change(cell: object, kind: OfferKind): void {
    const offer = this._offers.get(cell);
    if (offer) {
      offer.kind = kind;
    }
  }

  private _offers = new Map<object, IOffer>();
  private _stage: MissingModules.Stage = 'idle';
  private _project: IProject | null = null;
  private _from: IImage | null = null;
  /** Packages of the last request, and of all since the notebook went on. */
  private _packages: string[] = [];
  private _asked = new Set<string>();
  private _build: IBuild | null = null;
  private _image: IImage | null = null;
  private _runs = 0;
  private _others = 0;
  private _error = '';
  private _active: string | undefined;
  private _poll: Poll | null = null;
  private _changed = new Signal<this, void>(this);
}

/**
 * A namespace for what {@link MissingModules} is made from.
 */
export namespace MissingModules {
  /**
   * Where a version is: not asked for, being asked for, being made, ready, taken into use, or not made.
   */
  export type Stage =
    'idle' | 'asking' | 'making' | 'ready' | 'using' | 'failed';

  /**
   * Options of the constructor.
   */
  export interface IOptions {
    manager: IImageManager;
    host: INotebookHost;
    contents: Contents.IManager;
  }
}
