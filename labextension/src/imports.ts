/**
 * What the cells of a notebook import, and which of it an image has; pure.
 */

import { alternativesOf, canonicalName, distributionOf } from './modules';
import type { IMissingModule } from './modules';

/** Cell magics whose cell is Python still. */
const PYTHON_MAGICS = /^%%(time|timeit|capture|prun|memit|mprun)\b/;
const STRING_OR_COMMENT =
  /("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|#[^\n]*/g;
const FROM =
  /(?:^|[;:])[ \t]*from[ \t]+(\S+)[ \t]+import[ \t]*(\([^)]*\)|[^\n;]*)/gm;
const IMPORT = /(?:^|[;:])[ \t]*import[ \t]+([^\n;]+)/gm;

/**
 * A package that a notebook needs.
 */
export interface INeed extends IMissingModule {
  /** Of the package, or of another that brings the module too, in the image; null where there is none. */
  version: string | null;
}

/**
 * The dotted names of the modules that a cell imports, with what it takes out of them, which may be modules too.
 */
export function importsOf(source: string): string[] {
  if (/^\s*%%/.test(source) && !PYTHON_MAGICS.test(source.trimStart())) {
    return [];
  }
  const code = source
    .replace(/^[ \t]*[%!?].*$/gm, '')
    .replace(STRING_OR_COMMENT, (_, text?: string) => (text ? '""' : ''))
    .replace(/\\\r?\n/g, ' ');
  const found = new Set<string>();
  for (const [, module, names] of code.matchAll(FROM)) {
    if (!module.startsWith('.')) {
      for (const name of firstWords(names.replace(/[()]/g, ' '))) {
        found.add(name === '*' ? module : `${module}.${name}`);
      }
    }
  }
  for (const [, modules] of code.matchAll(IMPORT)) {
    firstWords(modules).forEach(module => found.add(module));
  }
  return [...found];
}

/** `a as b, c` to `a` and `c`. */
function firstWords(list: string): string[] {
  return list
    .split(',')
    .map(each => each.trim().split(/\s+/)[0])
    .filter(Boolean);
}

/**
 * The packages that modules need, missing ones first; the standard library and what lies beside the notebook are none.
 *
 * @param modules - Dotted names.
 * @param own - Names of files and folders beside the notebook.
 * @param packages - Of the image.
 */
export function needsOf(
  modules: Iterable<string>,
  own: ReadonlyArray<string>,
  packages: Iterable<{ name: string; version: string }>
): INeed[] {
  const versions = new Map(
    [...packages].map(each => [canonicalName(each.name), each.version])
  );
  const needs = new Map<string, INeed>();
  for (const dotted of modules) {
    const found = distributionOf(dotted, own);
    const key = found && canonicalName(found.distribution);
    if (key && !needs.has(key)) {
      const there = [key, ...alternativesOf(key)].find(name =>
        versions.has(name)
      );
      needs.set(key, { ...found, version: versions.get(there ?? '') ?? null });
    }
  }
  const order = (need: INeed) => (need.version === null ? 0 : 1);
  return [...needs.values()].sort(
    (a, b) =>
      order(a) - order(b) || a.distribution.localeCompare(b.distribution)
  );
}
