import type { TranslationBundle } from '@jupyterlab/translation';

import type { IRunSettings, IStatus } from './tokens';

const MB = 2 ** 20;
const GB = 2 ** 30;

/**
 * Bytes by which a limit of the memory grows.
 */
export const MEMORY_STEP = 256 * MB;

const FIELDS = [
  'memory',
  'cpus',
  'processes',
  'shm_size',
  'network',
  'mounts',
  'environment',
  'secrets',
  'gpus'
] as const;

/**
 * The fields of the form.
 */
export type RunField = (typeof FIELDS)[number];

/**
 * Whether a word names a field of the form.
 */
export function isField(word: unknown): word is RunField {
  return FIELDS.some(each => each === word);
}

/**
 * Memory as limits are set: in powers of two.
 */
export function formatMemory(bytes: number): string {
  const [value, unit] = bytes >= GB ? [bytes / GB, 'GiB'] : [bytes / MB, 'MiB'];
  return `${Number(value.toFixed(value < 10 ? 2 : 1))} ${unit}`;
}

/**
 * The ends of the sliders: what the machine has, or less where the administrator says so.
 */
export function boundsOf(status: IStatus): {
  memory: number | null;
  cpus: number | null;
} {
  const least = (...values: (number | null)[]): number | null => {
    const known = values.filter(each => each !== null);
    return known.length ? Math.min(...known) : null;
  };
  return {
    memory: least(status.engine.memory, status.kernels.max_memory),
    cpus: least(status.engine.cpus, status.kernels.max_cpus)
  };
}

/**
 * What a kernel may use of the memory, and the next sensible limit: twice as much, or what is left of that.
 *
 * @returns Null for `now` where there is no limit, and for `next` where no more is allowed.
 */
export function nextMemory(
  settings: IRunSettings,
  status: IStatus
): { now: number | null; next: number | null } {
  const now = settings.memory ?? status.kernels.memory;
  if (now === null) {
    return { now, next: null };
  }
  const wanted = Math.ceil((2 * now) / MEMORY_STEP) * MEMORY_STEP;
  const next = Math.min(wanted, boundsOf(status).memory ?? wanted);
  return { now, next: next > now ? next : null };
}

/**
 * What a kernel may use, in one line.
 */
export function summaryOf(
  settings: IRunSettings,
  status: IStatus,
  trans: TranslationBundle
): string {
  const memory = settings.memory ?? status.kernels.memory;
  const cpus = settings.cpus ?? status.kernels.cpus;
  const { kind, count, ids } = settings.gpus;
  const gpus = kind === 'ids' ? ids.length : count;
  return [
    memory === null
      ? trans.__('Memory without a limit')
      : trans.__('Memory %1', formatMemory(memory)),
    cpus === null
      ? trans.__('all CPUs')
      : trans._n('%1 CPU', '%1 CPUs', cpus, cpus),
    kind === 'none'
      ? trans.__('no GPU')
      : kind === 'all'
        ? trans.__('all GPUs')
        : trans._n('%1 GPU', '%1 GPUs', gpus)
  ].join(' · ');
}

/**
 * Which field a refusal of the server is about; null for none of them.
 */
export function fieldOf(message: string): RunField | null {
  const words: [RegExp, RunField][] = [
    [/\bmounts?\b/i, 'mounts'],
    [/\bsecrets?\b/i, 'secrets'],
    [/\benvironment\b|\bvariable\b/i, 'environment'],
    [/shared memory|shm_size/i, 'shm_size'],
    [/\bnetwork\b/i, 'network'],
    [/\bGPUs?\b/i, 'gpus'],
    [/\bprocesses\b/i, 'processes'],
    [/\bCPUs?\b/i, 'cpus'],
    [/\bmemory\b/i, 'memory']
  ];
  return words.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}

/**
 * The settings that differ, as they are sent.
 */
export function changesOf(
  before: IRunSettings,
  now: IRunSettings
): Partial<IRunSettings> {
  return Object.fromEntries(
    Object.entries(now).filter(
      ([key, value]) =>
        JSON.stringify(value) !==
        JSON.stringify(before[key as keyof IRunSettings])
    )
  );
}
