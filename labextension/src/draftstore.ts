import { NOTHING, SOURCES } from './draft';
import type { IDraft } from './draft';

/**
 * Keeps the draft of a project through reloads and crashes of the page.
 */
export class DraftStore {
  /**
   * @param projectId - Whose draft it is.
   * @param storage - Where it is kept; the tab's own, so that two tabs have two drafts.
   */
  constructor(
    projectId: string,
    private readonly _storage: Pick<
      Storage,
      'getItem' | 'setItem' | 'removeItem'
    >
  ) {
    this._key = `jupyter-image-manager:draft:${projectId}`;
  }

  /** The draft that is kept; null when there is none that can be read. */
  load(): IDraft | null {
    const kept = this._storage.getItem(this._key);
    if (kept === null) {
      return null;
    }
    try {
      return draftOf(JSON.parse(kept));
    } catch (error) {
      if (error instanceof SyntaxError) {
        return null;
      }
      throw error;
    }
  }

  /** Keep a draft. Returns whether it is kept: a browser may have no room. */
  save(draft: IDraft): boolean {
    try {
      this._storage.setItem(this._key, JSON.stringify(draft));
      return true;
    } catch (error) {
      if (error instanceof DOMException) {
        return false;
      }
      throw error;
    }
  }

  /** Forget it. */
  clear(): void {
    this._storage.removeItem(this._key);
  }

  private readonly _key: string;
}

/**
 * Read a draft that perhaps another version has written; null when it is none.
 */
function draftOf(value: unknown): IDraft | null {
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  const found = { ...NOTHING, ...(value as Partial<IDraft>) };
  const strings = [
    found.name,
    found.template,
    found.python,
    found.base,
    found.requirements,
    found.apt,
    found.file,
    found.context,
    found.reference,
    found.original,
    found.additions,
    found.archive,
    found.text ?? ''
  ];
  const sound =
    strings.every(each => typeof each === 'string') &&
    SOURCES.includes(found.source) &&
    [null, 'local', 'registry'].includes(found.storage) &&
    Array.isArray(found.files) &&
    found.files.every(each => typeof each === 'string') &&
    Array.isArray(found.env) &&
    found.env.every(
      each =>
        Array.isArray(each) && each.every(word => typeof word === 'string')
    );
  return sound ? found : null;
}
