import { choicesOf } from './draft';
import type { IDraft } from './draft';
import type { IBuildRequest } from './recipe';
import { RequestError } from './request';

/** Codes of refusals that can only be about what is begun with, since the name is looked at before. */
const OF_SOURCE = [
  'invalid_request',
  'invalid_reference',
  'not_allowed',
  'image_not_found',
  'conflict'
];

/**
 * What is asked of the server by a draft.
 *
 * @param text - The Dockerfile where it is a text; null: the file as it is.
 * @param confirmed - Whether a big context may be sent.
 * @param folder - The project's, on the server.
 */
export function requestOf(
  draft: IDraft,
  text: string | null,
  confirmed: boolean,
  folder: string
): IBuildRequest {
  const said = {
    name: draft.name,
    activate: draft.activate,
    confirm_context: confirmed,
    ...(draft.storage ? { storage: draft.storage } : {})
  };
  const context = draft.context ? { context: draft.context } : {};
  switch (draft.source) {
    case 'template':
      return { ...said, ...context, template: choicesOf(draft) };
    case 'dockerfile':
      return text === null
        ? { ...said, ...context, dockerfile_path: draft.file }
        : { ...said, ...context, dockerfile_text: text };
    case 'import':
      return { ...said, reference: draft.reference.trim() };
    case 'duplicate': {
      const packages = draft.additions
        .split('\n')
        .map(line => line.trim())
        .filter(Boolean);
      return {
        ...said,
        from_image: draft.original,
        ...(packages.length ? { add_packages: packages } : {})
      };
    }
    case 'archive': {
      const path = draft.archive.trim();
      return {
        ...said,
        archive: path.startsWith('/') ? path : `${folder}/${path}`
      };
    }
  }
}

/**
 * Whether enough was said of what is begun with.
 *
 * @param text - The Dockerfile that the draft says.
 */
export function isBegun(draft: IDraft, text: string): boolean {
  const { archive, original, reference, source } = draft;
  switch (source) {
    case 'template':
    case 'dockerfile':
      return text.trim() !== '';
    case 'import':
      return reference.trim() !== '';
    case 'duplicate':
      return original !== '';
    case 'archive':
      return archive.trim() !== '';
  }
}

/**
 * Whether a refusal is about the reference, archive or image that is begun with.
 */
export function isOfSource({ source }: IDraft, error: unknown): boolean {
  return (
    !['template', 'dockerfile'].includes(source) &&
    error instanceof RequestError &&
    OF_SOURCE.includes(error.code)
  );
}
