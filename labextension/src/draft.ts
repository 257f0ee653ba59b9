import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { ITemplateChoices, Storage } from './recipe';

/** With what an image can begin. */
export type Source =
  'template' | 'dockerfile' | 'import' | 'duplicate' | 'archive';

/** All of them, as they are offered. */
export const SOURCES: ReadonlyArray<Source> = [
  'template',
  'dockerfile',
  'import',
  'duplicate',
  'archive'
];

/**
 * With what the page of a new image begins; files are relative to the project.
 */
export interface IBeginning {
  source?: Source;
  name?: string;
  /** Python packages beside those of the project's requirements.txt, one a line. */
  packages?: string;
  /** A Dockerfile. */
  file?: string;
  /** Its lines become the packages. */
  requirementsFile?: string;
  /** An environment.yml of conda. */
  environmentFile?: string;
  /** Id of an image whose recipe fills the form. */
  duplicate?: string;
}

/**
 * With what the page begins by the arguments of its command.
 */
export function beginningOf(args: ReadonlyPartialJSONObject): IBeginning {
  const text = (value: unknown) =>
    typeof value === 'string' && value ? value : undefined;
  const file = text(args.file);
  return {
    source:
      SOURCES.find(each => each === args.source) ??
      (file ? 'dockerfile' : undefined),
    name: text(args.name),
    packages: text(args.packages),
    file,
    requirementsFile: text(args.requirements_file),
    environmentFile: text(args.environment_file),
    duplicate: text(args.duplicate)
  };
}

/**
 * Whether a beginning says with what the page is filled.
 */
export function isExplicit(begin: IBeginning): boolean {
  return !!(
    begin.file ||
    begin.requirementsFile ||
    begin.environmentFile ||
    begin.duplicate ||
    begin.packages
  );
}

/**
 * Whether a draft from before is another than what is asked for.
 */
export function isOther(begin: IBeginning, draft: IDraft): boolean {
  return (
    (begin.source !== undefined && begin.source !== draft.source) ||
    (begin.name !== undefined && begin.name !== draft.name)
  );
}

/**
 * What a person has said so far of a new image; plain data.
 */
export interface IDraft {
  name: string;
  source: Source;
  template: string;
  python: string;
  /** Another base image than the administrator's; empty for that. */
  base: string;
  requirements: string;
  /** System packages as they were typed. */
  apt: string;
  env: [string, string][];
  /** Files of the project, `SOURCE` or `SOURCE:TARGET`. */
  files: string[];
  /** The Dockerfile of the project that is built; empty: the text stands for itself. */
  file: string;
  /** The Dockerfile's text where it was changed here; null: as the file says. */
  text: string | null;
  /** The name of an image that is taken as it is. */
  reference: string;
  /** Id of the image that is built again. */
  original: string;
  /** Python packages that it gets beside its own, one a line. */
  additions: string;
  /** File that `docker save` wrote, on the server; relative to the project unless it begins with a slash. */
  archive: string;
  /** Folder that is sent as context; empty: the project's. */
  context: string;
  activate: boolean;
  /** Where it is kept; null: as the project's community does. */
  storage: Storage | null;
}

/**
 * A draft in which nothing has been said.
 */
export const NOTHING: IDraft = {
  name: '',
  source: 'template',
  template: '',
  python: '3.11',
  base: '',
  requirements: '',
  apt: '',
  env: [],
  files: [],
  file: '',
  text: null,
  reference: '',
  original: '',
  additions: '',
  archive: '',
  context: '',
  activate: true,
  storage: null
};

/**
 * The choices of a template in a draft.
 */
export function choicesOf(draft: IDraft): ITemplateChoices {
  return {
    name: draft.template,
    python: draft.python,
    requirements: draft.requirements,
    apt: draft.apt.split(/[\s,]+/).filter(Boolean),
    env: Object.fromEntries(draft.env.filter(([name]) => name)),
    ...(draft.files.length ? { files: draft.files } : {}),
    ...(draft.base ? { base: draft.base } : {})
  };
}

/**
 * A draft in which a template's choices are said.
 */
export function withChoices(
  draft: IDraft,
  choices: Partial<ITemplateChoices>
): IDraft {
  return {
    ...draft,
    template: choices.name ?? draft.template,
    python: choices.python ?? draft.python,
    base: choices.base ?? '',
    requirements: Array.isArray(choices.requirements)
      ? choices.requirements.join('\n')
      : (choices.requirements ?? ''),
    apt: (choices.apt ?? []).join(' '),
    env: Object.entries(choices.env ?? {}),
    files: [...(choices.files ?? [])]
  };
}

/**
 * Requirements with further ones, each package once; the further ones decide its version.
 */
export function withRequirements(text: string, more: string): string {
  const lines = text.replace(/\n+$/, '').split('\n');
  for (const line of more.split('\n').map(each => each.trim())) {
    const name = distributionOf(line);
    if (!line || lines.some(each => each.trim() === line)) {
      continue;
    }
    const known = name
      ? lines.findIndex(each => distributionOf(each.trim()) === name)
      : -1;
    if (known < 0) {
      lines.push(line);
    } else if (line.length > name.length) {
      lines[known] = line;
    }
  }
  const joined = lines.join('\n').replace(/^\n+/, '');
  return joined && `${joined}\n`;
}

/**
 * The name of the package that a line of requirements asks for, in its one spelling; empty when it asks for none.
 */
export function distributionOf(line: string): string {
  const match = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?/.exec(line);
  return match ? match[0].toLowerCase().replace(/[-_.]+/g, '-') : '';
}
