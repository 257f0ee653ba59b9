import type { TranslationBundle } from '@jupyterlab/translation';

import { formatSize } from './format';
import type { ILintItem } from './recipe';
import type { IUsage } from './tokens';

/** Bytes of free disk below which a build may not fit. */
const ROOM = 5e9;

/**
 * One answer to whether a new image will work.
 */
export interface IProspect {
  id: string;
  tone: 'ok' | 'warn' | 'error';
  text: string;
  /** The remark that can be done with by one click, where there is one. */
  mend: ILintItem | null;
}

/**
 * Tell whether a Dockerfile will work, as far as it can be known before it is built.
 *
 * #### Notes
 * The remarks say where and why; this says at a glance what was looked at and found good.
 */
export function prospectsOf(
  remarks: ReadonlyArray<ILintItem>,
  usage: IUsage | null,
  trans: TranslationBundle
): IProspect[] {
  const said: [ILintItem['about'], string, string][] = [
    [
      'python',
      trans.__('Python fits'),
      trans.__('Python is missing or does not fit')
    ],
    ['user', trans.__('user jupyter'), trans.__('user jupyter is missing')],
    ['files', trans.__('all files are there'), trans.__('files are missing')],
    [
      'versions',
      trans.__('versions are pinned'),
      trans.__('versions are not pinned')
    ],
    [
      'secrets',
      trans.__('no secret inside'),
      trans.__('a secret stays readable')
    ],
    [
      'order',
      trans.__('packages before files'),
      trans.__('files before packages: slow rebuilds')
    ]
  ];
  const prospects = said.map(([about, good, bad]): IProspect => {
    const found = remarks.filter(remark => remark.about === about);
    return {
      id: about,
      tone: found.some(remark => remark.level === 'error')
        ? 'error'
        : found.length
          ? 'warn'
          : 'ok',
      text: found.length ? bad : good,
      mend: found.find(remark => remark.mend) ?? null
    };
  });
  if (usage && usage.disk_free !== null) {
    const free = formatSize(usage.disk_free);
    const fits = usage.disk_free > ROOM;
    prospects.push({
      id: 'room',
      tone: fits ? 'ok' : 'warn',
      text: fits ? trans.__('%1 free', free) : trans.__('only %1 free', free),
      mend: null
    });
  }
  return prospects;
}
