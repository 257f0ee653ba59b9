import type { TranslationBundle } from '@jupyterlab/translation';

import type { IMenuItem } from './components/context';
import { CommandIDs } from './commands';
import type { IImage } from './tokens';

/**
 * Where an image is kept, in words.
 */
export function placeOf(image: IImage, trans: TranslationBundle): string {
  if (image.storage === 'local') {
    return trans.__('On this machine only');
  }
  if (!image.repository) {
    return trans.__('Saved on this machine only');
  }
  if (image.registry_state === 'missing') {
    return image.optimized
      ? trans.__('Copy only')
      : trans.__('Missing in the registry');
  }
  return image.optimized
    ? trans.__('In the registry, with an optimized copy here')
    : trans.__('In the registry');
}

/**
 * The word of a list for what is out of the ordinary about where an image is kept; empty where nothing is.
 */
export function keptWord(image: IImage, trans: TranslationBundle): string {
  if (image.state !== 'ready' && image.state !== 'missing') {
    return '';
  }
  if (image.retirement) {
    return image.retirement.stopped
      ? trans.__('Retired')
      : trans._n(
          '%1 day left',
          '%1 days left',
          Math.max(1, image.retirement.days_left)
        );
  }
  if (image.storage === 'local') {
    return '';
  }
  if (!image.repository) {
    return trans.__('Not pushed');
  }
  const state = stateWord(image, trans);
  return state || (image.optimized ? trans.__('Optimized') : '');
}

function stateWord(image: IImage, trans: TranslationBundle): string {
  switch (image.registry_state) {
    case 'missing':
      return image.optimized
        ? trans.__('Copy only')
        : trans.__('Missing in the registry');
    case 'unreachable':
      return trans.__('Registry unreachable');
    case 'forbidden':
      return trans.__('Registry forbids');
    case 'rate_limited':
      return trans.__('Registry limits');
    default:
      return '';
  }
}

/**
 * What a registry last said of an image, and what that means for who uses it.
 */
export function registrySays(image: IImage, trans: TranslationBundle): string {
  switch (image.registry_state) {
    case 'none':
      return '';
    case 'present':
      return trans.__('Present: it is there, and can be pulled.');
    case 'missing':
      return image.optimized
        ? trans.__(
            'Missing: it was deleted there. It works on from the optimized copy, which is the only one.'
          )
        : trans.__(
            'Missing: it was deleted there, or is hidden. It can no longer be pulled, optimized or activated.'
          );
    case 'unreachable':
      return trans.__(
        'Unreachable: the registry does not answer. What is on this machine works; what is not cannot be pulled for now.'
      );
    case 'forbidden':
      return trans.__(
        'Forbidden: the service agent may not see it. Its secret or its rights are for the community’s administrator.'
      );
    case 'rate_limited':
      return trans.__(
        'Rate limited: the registry takes no more requests for a while.'
      );
  }
}

/**
 * What can be done with where an image is kept.
 */
export function storageMenu(image: IImage): IMenuItem[] {
  const args = { image_id: image.id };
  const made = image.state === 'ready' || image.state === 'missing';
  const commands: string[] = [];
  if (made && image.storage === 'registry') {
    if (!image.repository && image.state === 'ready') {
      commands.push(CommandIDs.pushImage);
    }
    commands.push(
      image.optimized ? CommandIDs.unoptimizeImage : CommandIDs.optimizeImage
    );
    if (image.repository && image.registry_state !== 'missing') {
      commands.push(CommandIDs.deleteOriginal);
    }
  }
  if (made && image.retirement) {
    commands.unshift(CommandIDs.migrateImage);
  }
  return commands.map(command => ({ command, args }));
}
