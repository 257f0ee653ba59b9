import type { ImageManagerAPI } from './api';
import { choicesOf } from './draft';
import type { IDraft } from './draft';
import type { ILintItem } from './recipe';
import { isLost, messageOf, refusalOf } from './request';

/** Milliseconds of no typing after which the server is asked. */
const CALM = 250;

/**
 * What follows from what was said of a new image: its Dockerfile, and the remarks on it.
 */
export class Following {
  constructor(private readonly _options: Following.IOptions) {}

  /** The Dockerfile of the form. */
  get rendered(): string {
    return this._rendered;
  }

  /** The Dockerfile of the project, as its file says. */
  get fileText(): string {
    return this._fileText;
  }

  /** From what the image was built that is built again; empty where that is no text. */
  get recipeText(): string {
    return this._recipeText;
  }

  /** Why there is no Dockerfile; empty when there is one. */
  get problem(): string {
    return this._problem;
  }

  get remarks(): ReadonlyArray<ILintItem> {
    return this._remarks;
  }

  /** The Dockerfile that a draft says. */
  textOf(draft: IDraft): string {
    switch (draft.source) {
      case 'template':
        return this._rendered;
      case 'dockerfile':
        return draft.text ?? this._fileText;
      case 'duplicate':
        return this._recipeText;
      case 'import':
      case 'archive':
        return '';
    }
  }

  /** Take remarks away that no longer hold, before the server has said what does. */
  forgetRemarks(): void {
    this._remarks = [];
  }

  /** Find out what follows from a draft when nothing more is said for a moment, or at once. */
  follow(draft: IDraft, atOnce: boolean): void {
    clearTimeout(this._timer);
    const round = ++this._round;
    const current = () => round === this._round;
    this._timer = setTimeout(
      () => void this._ask(draft, current),
      atOnce ? 0 : CALM
    );
    this._options.changed();
  }

  stop(): void {
    this._round++;
    clearTimeout(this._timer);
  }

  private async _ask(draft: IDraft, current: () => boolean): Promise<void> {
    const { api, projectId } = this._options;
    let problem = '';
    try {
      await this._read(draft, current);
    } catch (error) {
      if (isLost(error)) {
        return; // all stays as it is until the server is back
      }
      // The text that stands here can be built without the file from which it began.
      problem =
        draft.source === 'dockerfile' && draft.text !== null
          ? ''
          : messageOf(error);
    }
    if (!current()) {
      return;
    }
    this._problem = problem;
    this._options.changed();
    const text = this.textOf(draft);
    try {
      // What was built before is built as it is: nobody can mend it here.
      const remarks =
        problem || !text || draft.source === 'duplicate'
          ? []
          : await api.lint(projectId, text);
      if (current()) {
        this._remarks = remarks;
        this._options.changed();
      }
    } catch (error) {
      if (current()) {
        this._options.failed(refusalOf(error));
      }
    }
  }

  private async _read(draft: IDraft, current: () => boolean): Promise<void> {
    const { api, read } = this._options;
    if (draft.source === 'template') {
      const text = draft.template
        ? await api.renderTemplate(choicesOf(draft))
        : '';
      if (current()) {
        this._rendered = text;
      }
    } else if (draft.source === 'dockerfile' && draft.file) {
      const text = await read(draft.file);
      if (current()) {
        this._fileText = text;
      }
    } else if (draft.source === 'duplicate') {
      const recipe = draft.original ? await api.recipe(draft.original) : null;
      if (current()) {
        this._recipeText =
          recipe?.dockerfile ||
          (recipe?.kind === 'import' ? `FROM ${recipe.reference}\n` : '');
      }
    }
  }

  private _rendered = '';
  private _fileText = '';
  private _recipeText = '';
  private _problem = '';
  private _remarks: ReadonlyArray<ILintItem> = [];
  private _round = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * A namespace for what {@link Following} is made from.
 */
export namespace Following {
  /**
   * Options of the constructor.
   */
  export interface IOptions {
    api: ImageManagerAPI;
    projectId: string;
    /** The text of a file of the project. */
    read: (path: string) => Promise<string>;
    changed: () => void;
    failed: (message: string) => void;
  }
}
