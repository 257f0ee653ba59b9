import type { TranslationBundle } from '@jupyterlab/translation';

import type { ImageManagerAPI } from './api';
import { linesOnlyIn } from './dockerfile';
import { NOTHING, choicesOf, withChoices, withRequirements } from './draft';
import type { IBeginning, IDraft } from './draft';
import { dockerfileOf } from './imagemodel';
import type { ITemplate } from './recipe';
import type { IImageManager, IProject } from './tokens';

/**
 * Fills the page of a new image from what lies in the project, or from what was asked for.
 */
export class Beginner {
  constructor(private readonly _options: Beginner.IOptions) {}

  /** What a person should know of how it was filled. */
  get notes(): ReadonlyArray<string> {
    return this._notes;
  }

  /** A draft with what is known without looking. */
  empty(): IDraft {
    const { begin, manager, project, templates } = this._options;
    const template = templates[0];
    return {
      ...NOTHING,
      name: begin.name ?? suggestedName(manager, project),
      template: template?.name ?? '',
      python: template?.python ?? NOTHING.python
    };
  }

  /** The draft with which the page begins. */
  async draft(): Promise<IDraft> {
    const { begin, dockerfiles, manager, read } = this._options;
    const draft = this.empty();
    if (begin.duplicate) {
      return this._duplicate(draft, begin.duplicate);
    }
    if (begin.environmentFile) {
      const found = await manager.api.environment(
        await read(begin.environmentFile)
      );
      this._leftOut(begin.environmentFile, found.left_out);
      return {
        ...draft,
        name: begin.name ?? (nameOf(found.name) || draft.name),
        python: found.python || draft.python,
        requirements: found.requirements
      };
    }
    if (begin.requirementsFile) {
      const text = await read(begin.requirementsFile);
      return { ...draft, requirements: withRequirements('', text) };
    }
    // A project without such a file is as usual as one with it.
    const requirements = await read('requirements.txt').catch(() => '');
    const file = begin.file ?? dockerfiles[0] ?? '';
    return {
      ...draft,
      source: begin.source ?? (file ? 'dockerfile' : 'template'),
      file: begin.source === 'dockerfile' ? file || 'Dockerfile' : file,
      requirements: begin.packages
        ? withRequirements(requirements, begin.packages)
        : requirements
    };
  }

  private async _duplicate(draft: IDraft, id: string): Promise<IDraft> {
    const { begin, manager, trans } = this._options;
    const [image, recipe] = await Promise.all([
      manager.api.image(id),
      manager.api.recipe(id)
    ]);
    const named = {
      ...draft,
      name: begin.name ?? image.name,
      context: recipe.context_path ?? ''
    };
    const choices =
      recipe.dockerfile && (await manager.api.parseTemplate(recipe.dockerfile));
    if (choices) {
      this._notes = [trans.__('Filled as %1 was built.', image.spec)];
      return { ...withChoices(named, choices), source: 'template' };
    }
    const text = dockerfileOf(recipe);
    if (!text) {
      throw new Error(
        trans.__(
          '%1 was taken from an archive, so that there is no recipe to begin with.',
          image.spec
        )
      );
    }
    this._notes = [
      recipe.dockerfile
        ? trans.__('The text is that from which %1 was built.', image.spec)
        : trans.__('%1 was taken in; the text builds upon it.', image.spec)
    ];
    return {
      ...named,
      source: 'dockerfile',
      text
    };
  }

  private _leftOut(file: string, left: string[]): void {
    if (left.length) {
      this._notes = [
        this._options.trans.__(
          'Not taken over from %1, since pip has no word for it: %2.',
          file,
          left.join(', ')
        )
      ];
    }
  }

  private _notes: ReadonlyArray<string> = [];
}

/**
 * The draft whose form says a text; where no form can say it, the lines that would be lost.
 */
export async function asTemplate(
  api: ImageManagerAPI,
  draft: IDraft,
  text: string
): Promise<IDraft | string[]> {
  const choices = await api.parseTemplate(text);
  return choices
    ? { ...withChoices(draft, choices), source: 'template', text: null }
    : linesOnlyIn(text, await api.renderTemplate(choicesOf(draft)));
}

/**
 * A namespace for what {@link Beginner} is made from.
 */
export namespace Beginner {
  /**
   * Options of the constructor.
   */
  export interface IOptions {
    manager: IImageManager;
    project: IProject;
    begin: IBeginning;
    templates: ReadonlyArray<ITemplate>;
    /** Dockerfiles of the project folder, relative to it. */
    dockerfiles: ReadonlyArray<string>;
    /** The text of a file of the project. */
    read: (path: string) => Promise<string>;
    trans: TranslationBundle;
  }
}

function suggestedName(manager: IImageManager, project: IProject): string {
  return manager.images[0]?.name ?? (nameOf(project.name) || 'environment');
}

function nameOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '');
}
