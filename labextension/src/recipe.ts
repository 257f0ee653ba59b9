/**
 * What would be sent as a build's context.
 */
export interface IContextPreview {
  path: string;
  files: number;
  size: number;
  ignored: number;
  largest: [string, number][];
  limit: number;
  problems: string[];
  /** The first of what is ignored, folders with a slash. */
  dropped: string[];
}

/**
 * An edit of whole lines: `line` to `end_line` give way to `lines`, none where `end_line` is before `line`.
 */
export interface IMend {
  line: number;
  end_line: number;
  lines: string[];
}

/**
 * A remark about a line of a Dockerfile.
 */
export interface ILintItem {
  line: number;
  level: 'error' | 'warning' | 'info';
  message: string;
  cure?: string | string[];
  /** The question that it answers; empty for none of them. */
  about: 'python' | 'user' | 'files' | 'versions' | 'secrets' | 'order' | '';
  /** Null where a person must choose. */
  mend?: IMend | null;
}

/**
 * A ready-made Dockerfile.
 */
export interface ITemplate {
  name: string;
  title?: string;
  description?: string;
  pythons?: string[];
  python?: string;
}

/**
 * The choices that a template takes.
 */
export interface ITemplateChoices {
  name: string;
  python: string;
  /** Text as of a requirements.txt. */
  requirements: string;
  apt: string[];
  env: Record<string, string>;
  /** Files of the project, `SOURCE` or `SOURCE:TARGET`. */
  files?: string[];
  /** Another base image than the administrator's. */
  base?: string;
}

/**
 * What of a conda environment.yml a template can take over.
 */
export interface IEnvironment {
  name: string;
  /** Empty when none is asked for that templates exist for. */
  python: string;
  /** Text as of a requirements.txt. */
  requirements: string;
  left_out: string[];
}

/**
 * Where an image is kept.
 */
export type Storage = 'local' | 'registry';

/**
 * Where images of a project can be kept.
 */
export interface IStorageChoices {
  default: Storage;
  choices: {
    storage: Storage;
    available: boolean;
    /** Why it is not, and what must be set by whom. */
    reason: string;
  }[];
}

/**
 * What a user asks to build.
 */
export interface IBuildRequest {
  name: string;
  dockerfile_text?: string;
  dockerfile_path?: string;
  template?: ITemplateChoices;
  /** Name of an image that is taken as it is. */
  reference?: string;
  /** Absolute path of an archive on the server. */
  archive?: string;
  from_image?: string;
  /** Packages that the recipe of `from_image` gets beside its own. */
  add_packages?: string[];
  activate?: boolean;
  fix?: boolean;
  confirm_context?: boolean;
  /** Folder relative to the project; the project's own when left out. */
  context?: string;
  description?: string;
  /** The default of the project's community when left out. */
  storage?: Storage;
}
