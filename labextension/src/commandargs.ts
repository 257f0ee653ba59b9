import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * Describe the arguments of a command, all of them texts.
 *
 * @param texts - What each argument is, by name.
 * @param required - Those without which the command cannot run.
 */
export function argsOf(
  texts: Record<string, string>,
  required: string[] = []
): { args: ReadonlyJSONObject } {
  const properties = Object.fromEntries(
    Object.entries(texts).map(([name, description]) => [
      name,
      { type: 'string', description }
    ])
  );
  return { args: { type: 'object', properties, required } };
}

/**
 * What the commands about one image are told by.
 */
export function imageId(trans: TranslationBundle): { image_id: string } {
  return {
    image_id: trans.__(
      'Id of an image of the project in front; asked for when left out'
    )
  };
}
