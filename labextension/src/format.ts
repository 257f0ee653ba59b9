import type { TranslationBundle } from '@jupyterlab/translation';

import type { BuildState, IBuild } from './tokens';

/**
 * The language of the page, which JupyterLab writes there; undefined for the browser's.
 */
export function language(): string | undefined {
  return document.documentElement.lang || undefined;
}

/**
 * Bytes as people read them: `1.2 GB`.
 */
export function formatSize(bytes: number, locale = language()): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: units[unit],
    unitDisplay: unit ? 'short' : 'long', // no language writes `999 byte`
    minimumFractionDigits: digits,
    maximumFractionDigits: digits
  }).format(value);
}

/**
 * Seconds as a clock: `1:12`, `1:02:03`.
 */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const s = String(whole % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return `${minutes}:${s}`;
  }
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${s}`;
}

/**
 * An approximate duration: `about 40 s`, `about 3 min`.
 */
export function formatAbout(seconds: number, trans: TranslationBundle): string {
  if (seconds < 90) {
    const rounded =
      seconds < 10 ? Math.ceil(seconds) : Math.round(seconds / 5) * 5;
    return trans.__('about %1 s', rounded);
  }
  return trans.__('about %1 min', Math.round(seconds / 60));
}

/**
 * A date near enough for a list: `20 Nov`, or with the year when it is another one.
 */
export function formatDate(
  iso: string,
  locale = language(),
  now = new Date()
): string {
  const date = new Date(iso);
  return new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'short',
    year: date.getFullYear() === now.getFullYear() ? undefined : 'numeric'
  }).format(date);
}

/**
 * `3.11.9` to `3.11`.
 */
export function shortPython(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

/**
 * Seconds that a build has run, or ran.
 */
export function elapsed(build: IBuild, now = Date.now()): number {
  if (!build.started) {
    return 0;
  }
  const end = build.finished ? Date.parse(build.finished) : now;
  return Math.max(0, (end - Date.parse(build.started)) / 1000);
}

/**
 * Share of a build that is done, 0 to 1, or null when nothing can be said.
 *
 * #### Notes
 * Time against the estimate where there is one, never quite full; otherwise steps.
 */
export function progress(build: IBuild, now = Date.now()): number | null {
  if (build.state === 'queued') {
    return null;
  }
  if (build.estimate) {
    return Math.min(0.97, elapsed(build, now) / build.estimate);
  }
  if (build.steps > 0) {
    return Math.min(0.97, Math.max(0, build.step - 1) / build.steps);
  }
  return null;
}

/**
 * Time of a build in one phrase: `1:12 of about 3 min`.
 */
export function buildTime(
  build: IBuild,
  trans: TranslationBundle,
  now = Date.now()
): string {
  if (build.state === 'queued') {
    return trans.__('Waits for other builds');
  }
  const clock = formatClock(elapsed(build, now));
  if (!build.estimate) {
    return clock;
  }
  if (elapsed(build, now) > build.estimate * 1.2) {
    return trans.__(
      '%1, longer than the usual %2',
      clock,
      formatClock(build.estimate)
    );
  }
  return trans.__('%1 of %2', clock, formatAbout(build.estimate, trans));
}

/**
 * Where a build is, in words: `step 4 of 9`.
 */
export function buildStep(build: IBuild, trans: TranslationBundle): string {
  if (build.cancel_requested) {
    return trans.__('cancelling');
  }
  switch (build.state) {
    case 'queued':
      return trans.__('queued');
    case 'checking':
      return trans.__('checking that it works');
    case 'saving':
      return trans.__('saving');
    case 'pushing':
      return trans.__('pushing to the registry');
    case 'building':
      return build.steps
        ? trans.__('step %1 of %2', build.step, build.steps)
        : trans.__('starting');
    default:
      return stateWord(build.state, trans);
  }
}

/**
 * The state of a build in one word.
 */
export function stateWord(state: BuildState, trans: TranslationBundle): string {
  switch (state) {
    case 'queued':
      return trans.__('Queued');
    case 'building':
      return trans.__('Building');
    case 'checking':
      return trans.__('Checking');
    case 'saving':
      return trans.__('Saving');
    case 'pushing':
      return trans.__('Pushing');
    case 'succeeded':
      return trans.__('Ready');
    case 'failed':
      return trans.__('Failed');
    case 'cancelled':
      return trans.__('Cancelled');
    case 'interrupted':
      return trans.__('Interrupted');
  }
}

/**
 * Whether nothing more will happen to a build.
 */
export function isDone(build: IBuild): boolean {
  return ['succeeded', 'failed', 'cancelled', 'interrupted'].includes(
    build.state
  );
}
