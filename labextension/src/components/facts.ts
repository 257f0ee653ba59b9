import type { TranslationBundle } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { formatDate, formatSize, shortPython } from '../format';
import type { IBuild, IImage } from '../tokens';
import { storageMenu } from '../storage';
import type { IMenuItem } from './context';
import type { Tone } from './parts';

/**
 * How an image is told apart at a glance.
 */
export function toneOf(image: IImage): Tone {
  switch (image.state) {
    case 'ready':
      return image.warnings.length ? 'warn' : 'ok';
    case 'building':
      return 'busy';
    case 'unusable':
      return 'warn';
    case 'failed':
      return 'error';
    case 'missing':
      return 'none';
  }
}

/**
 * The state of an image in one word; empty for a usable one, which needs none.
 */
export function stateOf(
  image: IImage,
  build: IBuild | undefined,
  trans: TranslationBundle
): string {
  switch (image.state) {
    case 'ready':
      return '';
    case 'building':
      return trans.__('Building');
    case 'unusable':
      return trans.__('Not usable');
    case 'failed':
      if (build?.state === 'cancelled') {
        return trans.__('Cancelled');
      }
      if (build?.state === 'interrupted') {
        return trans.__('Interrupted');
      }
      return trans.__('Failed');
    case 'missing':
      return trans.__('Not here');
  }
}

/**
 * The one fact that matters now.
 */
export function factOf(
  image: IImage,
  build: IBuild | undefined,
  trans: TranslationBundle
): string {
  switch (image.state) {
    case 'ready':
      return image.warnings[0] ?? usableFacts(image, trans);
    case 'building':
      return trans.__('Its build runs');
    case 'unusable':
      return image.warnings[0] ?? trans.__('Built, but cannot run kernels');
    case 'failed':
      return failureFact(build, trans);
    case 'missing':
      return image.warnings[0] ?? trans.__('The engine no longer has it');
  }
}

function usableFacts(image: IImage, trans: TranslationBundle): string {
  const facts: string[] = [];
  if (image.python_version) {
    facts.push(trans.__('Python %1', shortPython(image.python_version)));
  }
  if (image.size) {
    facts.push(formatSize(image.size));
  }
  facts.push(formatDate(image.created));
  return facts.join(' · ');
}

function failureFact(
  build: IBuild | undefined,
  trans: TranslationBundle
): string {
  if (build?.state === 'cancelled') {
    return trans.__('Stopped on request');
  }
  if (build?.state === 'interrupted') {
    return trans.__('Its process ended; it can be tried again');
  }
  const failure = build?.failure;
  if (!failure) {
    return trans.__('The log says why');
  }
  const line = failure.lines[failure.lines.length - 1] || failure.message;
  return failure.step ? trans.__('step %1: %2', failure.step, line) : line;
}

/**
 * Tell whether an image is to be in a registry and is on this machine only.
 */
export function notPushed(image: IImage): boolean {
  return (
    image.storage === 'registry' && image.state === 'ready' && !image.repository
  );
}

/**
 * The sensible action of a row, and what else its menu offers.
 */
export function actionsOf(
  image: IImage,
  trans: TranslationBundle
): { action: (IMenuItem & { label: string }) | null; menu: IMenuItem[] } {
  const byImage = { image_id: image.id };
  const details: IMenuItem = { command: CommandIDs.openImage, args: byImage };
  const log: IMenuItem[] = image.last_build_id
    ? [{ command: CommandIDs.openLog, args: { build_id: image.last_build_id } }]
    : [];
  const check: IMenuItem = { command: CommandIDs.checkImage, args: byImage };
  const retry: IMenuItem[] = image.last_build_id
    ? [
        {
          command: CommandIDs.retryBuild,
          args: { build_id: image.last_build_id }
        }
      ]
    : [];
  const another: IMenuItem = {
    command: CommandIDs.newImage,
    args: { duplicate: image.id }
  };
  const remove: IMenuItem = { command: CommandIDs.deleteImage, args: byImage };
  switch (image.state) {
    case 'ready':
      return image.active
        ? {
            action: null,
            menu: [
              { command: CommandIDs.deactivate },
              details,
              another,
              check,
              ...log,
              ...storageMenu(image)
            ]
          }
        : {
            action: {
              command: CommandIDs.activate,
              args: byImage,
              label: trans.__('Activate')
            },
            menu: [
              { command: CommandIDs.activate, args: byImage },
              details,
              { command: CommandIDs.compareImage, args: byImage },
              another,
              check,
              ...log,
              ...storageMenu(image),
              remove
            ]
          };
    case 'building':
      return {
        action: log.length ? { ...log[0], label: trans.__('Log') } : null,
        menu: [details, ...log]
      };
    case 'unusable':
      return {
        action: {
          command: CommandIDs.fixImage,
          args: byImage,
          label: trans.__('Mend')
        },
        menu: [
          { command: CommandIDs.fixImage, args: byImage },
          details,
          another,
          check,
          ...log,
          remove
        ]
      };
    case 'failed':
      return {
        action: log.length ? { ...log[0], label: trans.__('See why') } : null,
        menu: [details, ...log, ...retry, another, remove]
      };
    case 'missing':
      return {
        action: { ...another, label: trans.__('Build anew') },
        menu: [details, another, ...log, ...storageMenu(image), remove]
      };
  }
}
