import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { isBegun, isOfSource, requestOf } from './asked';
import { Beginner, asTemplate } from './beginning';
import { whenBack } from './connection';
import { isDockerfile, mended } from './dockerfile';
import { NOTHING, isExplicit, isOther } from './draft';
import type { IBeginning, IDraft } from './draft';
import type { DraftStore } from './draftstore';
import { Following } from './following';
import type { ILintItem, ITemplate } from './recipe';
import { messageOf, refusalOf } from './request';
import { SentModel } from './sentmodel';
import type { IBuild, IImageManager, IProject } from './tokens';

/**
 * What is said of a new image, and what follows from it; form and Dockerfile are two views of it.
 */
export class NewImageModel implements IDisposable {
  constructor(private readonly _options: NewImageModel.IOptions) {
    const { manager, project } = _options;
    this.sent = new SentModel(manager.api, project.id, {
      changed: () => this._follow(true),
      failed: reason => this._fail(refusalOf(reason))
    });
    this._following = new Following({
      api: manager.api,
      projectId: project.id,
      read: _options.read,
      changed: () => this._changed(),
      failed: message => this._fail(message)
    });
    whenBack(this, manager, () => this._resume());
    void this._begin(true);
  }

  /** Whether all that the page begins with is there. */
  ready = false;

  /** What would be sent as context. */
  readonly sent: SentModel;

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get manager(): IImageManager {
    return this._options.manager;
  }

  get project(): IProject {
    return this._options.project;
  }

  /** What was said. */
  get draft(): IDraft {
    return this._draft;
  }

  get templates(): ReadonlyArray<ITemplate> {
    return this._templates;
  }

  /** What lies in the project's folder. */
  get files(): ReadonlyArray<string> {
    return this._files;
  }

  /** Dockerfiles of the project's folder. */
  get dockerfiles(): ReadonlyArray<string> {
    return this._files.filter(isDockerfile);
  }

  /** The Dockerfile, as the form or the text says. */
  get text(): string {
    return this._following.textOf(this._draft);
  }

  /** Whether the text is another than that of the project's file, which stays as it is. */
  get changed(): boolean {
    const { file, text } = this._draft;
    return file !== '' && text !== null && text !== this._following.fileText;
  }

  /** Why there is no Dockerfile; empty when there is one. */
  get problem(): string {
    return this._following.problem;
  }

  get remarks(): ReadonlyArray<ILintItem> {
    return this._following.remarks;
  }

  /** What a person should know of how the page was filled. */
  get notes(): ReadonlyArray<string> {
    return this._notes;
  }

  /** Whether this goes on with a draft from before. */
  get continued(): boolean {
    return this._continued;
  }

  /** A draft from before with which this does not go on; null when there is none. */
  get other(): IDraft | null {
    return this._other;
  }

  /** The lines that the form could not say, while it is asked whether to go back to it. */
  get leaving(): ReadonlyArray<string> | null {
    return this._leaving;
  }

  /** Whether the build is being submitted. */
  get busy(): boolean {
    return this._busy;
  }

  /** What did not succeed. */
  get error(): string {
    return this._error;
  }

  /** Why what is begun with was refused; it is said where that is typed. */
  get refusal(): string {
    return this._refusal;
  }

  /** Whether enough was said of what is begun with. */
  get isBegun(): boolean {
    return isBegun(this._draft, this.text);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._following.stop();
    Signal.clearData(this);
  }

  /** Say something; it is kept at once. */
  set(changes: Partial<IDraft>): void {
    this._draft = { ...this._draft, ...changes };
    if (!this.ready) {
      // What the page begins with is still to come, and is not to take this for a draft from before.
      this._early = { ...this._early, ...changes };
      this._changed();
      return;
    }
    this._said = true;
    this._leaving = null;
    this._refusal = '';
    this._options.store.save(this._draft);
    this._follow(false);
  }

  /** Forget all that was said, and begin as if there had never been a draft. */
  startOver(): void {
    this._options.store.clear();
    this._other = null;
    void this._begin(false);
  }

  /** Go on with the draft from before. */
  goBackToDraft(): void {
    if (this._other) {
      const draft = this._other;
      this._other = null;
      this._continued = true;
      this._notes = [];
      this.set(draft);
    }
  }

  /**
   * Take the form's Dockerfile over, to be changed as text.
   */
  editAsText(): void {
    this.set({
      source: 'dockerfile',
      file: '',
      text: this._following.rendered
    });
  }

  /**
   * Begin with a Dockerfile: the one that was said, one of the project, else the form's.
   */
  toDockerfile(): void {
    const { file, text } = this._draft;
    const found = file || this.dockerfiles[0];
    if (text !== null || found) {
      this.set({ source: 'dockerfile', file: text === null ? found : file });
    } else {
      this.editAsText();
    }
  }

  /**
   * Begin with a template: without loss as long as the text is one that the form can say, else after a question.
   */
  async toTemplate(): Promise<void> {
    const draft = this._draft;
    const { api } = this.manager;
    if (draft.text === null || (draft.file && !this.changed)) {
      this.set({ source: 'template', text: null });
      return;
    }
    try {
      const found = await asTemplate(api, draft, draft.text);
      if (this._draft !== draft || this.isDisposed) {
        return;
      }
      if (!Array.isArray(found)) {
        this.set(found);
        return;
      }
      this._leaving = found;
    } catch (error) {
      this._error = messageOf(error);
    }
    this._changed();
  }

  /**
   * Begin with something else than a template or a Dockerfile.
   */
  toOther(source: 'import' | 'duplicate' | 'archive'): void {
    const { images } = this.manager;
    const original =
      this._draft.original ||
      (images.find(image => image.active) ?? images[0])?.id ||
      '';
    this.set({ source, original });
  }

  /**
   * Take the recipe of the image that would be built again, to be changed by form or text.
   */
  async editRecipe(): Promise<void> {
    const { name, original } = this._draft;
    try {
      await this._fill({ name, duplicate: original });
      this.set({});
      await this.sent.show(this._draft.context);
    } catch (error) {
      this._fail(refusalOf(error));
    }
  }

  /**
   * Answer whether the text is given up for the form.
   */
  leave(really: boolean): void {
    if (really) {
      this.set({ source: 'template', text: null });
    } else {
      this._leaving = null;
      this._changed();
    }
  }

  /**
   * Do what a remark says; the form's Dockerfile becomes text by that.
   */
  mend(remark: ILintItem): void {
    const edit = remark.mend;
    if (!edit) {
      return;
    }
    const text = mended(this.text, edit);
    this._following.forgetRemarks();
    this.set(
      this._draft.source === 'template'
        ? { source: 'dockerfile', file: '', text }
        : { text }
    );
  }

  /**
   * Ask for the build. Returns it, or null when it was refused.
   */
  async submit(confirmed: boolean): Promise<IBuild | null> {
    this._busy = true;
    this._error = '';
    this._refusal = '';
    this._changed();
    try {
      const build = await this.manager.api.build(
        this.project.id,
        requestOf(
          this._draft,
          this.changed || !this._draft.file ? this.text : null,
          confirmed,
          this.project.path
        )
      );
      this._options.store.clear();
      return build;
    } catch (error) {
      const message = messageOf(error);
      if (isOfSource(this._draft, error)) {
        this._refusal = message;
      } else {
        this._error = message;
      }
      return null;
    } finally {
      this._busy = false;
      this._changed();
    }
  }

  private _resume(): void {
    if (!this._templates.length) {
      void this._begin(true);
      return;
    }
    this._error = '';
    this._follow(true);
  }

  private async _begin(withDraft: boolean): Promise<void> {
    const { begin, store, files, trans } = this._options;
    const { api } = this.manager;
    const [known, found] = await Promise.allSettled([api.templates(), files()]);
    if (this.isDisposed) {
      return;
    }
    this._notes = [];
    this._error = '';
    if (known.status === 'fulfilled') {
      this._templates = known.value;
    } else {
      this._error = refusalOf(known.reason);
    }
    this._files = found.status === 'fulfilled' ? found.value : [];
    if (this.ready && withDraft && this._said) {
      this._follow(true);
      return;
    }
    const kept = withDraft ? store.load() : null;
    const asked = isExplicit(begin) || (kept && isOther(begin, kept));
    this._continued = kept !== null && !asked;
    this._other = asked ? kept : null;
    if (kept && !asked) {
      this._draft = kept;
    } else {
      try {
        await this._fill(begin);
      } catch (error) {
        this._error = trans.__(
          'The page could not be filled as asked. %1',
          messageOf(error)
        );
        this._draft = this._beginner(begin).empty();
      }
    }
    if (!this.isDisposed) {
      this.ready = true;
      this._said = false;
      if (Object.keys(this._early).length) {
        this.set(this._early);
        this._early = {};
      }
      this._follow(true);
      void this.sent.show(this._draft.context);
    }
  }

  private _beginner(begin: IBeginning): Beginner {
    return new Beginner({
      ...this._options,
      begin,
      templates: this._templates,
      dockerfiles: this.dockerfiles
    });
  }

  private async _fill(begin: IBeginning): Promise<void> {
    const beginner = this._beginner(begin);
    const draft = await beginner.draft();
    if (!this.isDisposed) {
      this._notes = beginner.notes;
      this._draft = draft;
    }
  }

  private _follow(atOnce: boolean): void {
    this._following.follow(this._draft, atOnce);
  }

  private _fail(message: string): void {
    this._error = message;
    this._changed();
  }

  private _changed(): void {
    if (!this.isDisposed) {
      this._stateChanged.emit();
    }
  }

  private readonly _following: Following;
  private _stateChanged = new Signal<this, void>(this);
  private _draft: IDraft = NOTHING;
  private _early: Partial<IDraft> = {};
  private _said = false;
  private _templates: ReadonlyArray<ITemplate> = [];
  private _files: ReadonlyArray<string> = [];
  private _notes: ReadonlyArray<string> = [];
  private _continued = false;
  private _other: IDraft | null = null;
  private _leaving: ReadonlyArray<string> | null = null;
  private _busy = false;
  private _error = '';
  private _refusal = '';
  private _isDisposed = false;
}

/**
 * A namespace for what {@link NewImageModel} is made from.
 */
export namespace NewImageModel {
  /**
   * Options of the constructor.
   */
  export interface IOptions extends Omit<
    Beginner.IOptions,
    'templates' | 'dockerfiles'
  > {
    store: DraftStore;
    /** Names of what lies in the project folder. */
    files: () => Promise<string[]>;
  }
}
