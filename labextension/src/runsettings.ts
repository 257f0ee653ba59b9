import type { TranslationBundle } from '@jupyterlab/translation';

import type { IRunSettings, IStatus } from './tokens';

const MB = 2 ** 20;
const GB = 2 ** 30;

/**
 * The fields of the form.
 */
export type RunField =
  | 'memory'
  | 'cpus'
  | 'processes'
  | 'shm_size'
  | 'network'
  | 'environment'
  | 'secrets'
  | 'gpus';

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
