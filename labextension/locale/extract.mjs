// Print what the sources ask a translation bundle for, as JSON: message, plural, context, and the files it is in.
//
// The compiler reads the sources, since no pattern tells a call over five lines, or a quote within a string, for sure.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = join(ROOT, 'src');

/** Which argument is what, for each method of a bundle. */
const METHODS = new Map([
  ['__', ['message']],
  ['gettext', ['message']],
  ['_n', ['message', 'plural']],
  ['ngettext', ['message', 'plural']],
  ['_p', ['context', 'message']],
  ['pgettext', ['context', 'message']],
  ['_np', ['context', 'message', 'plural']],
  ['npgettext', ['context', 'message', 'plural']]
]);

const found = new Map();
const dynamic = [];

function visit(node, file) {
  if (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    METHODS.has(node.expression.name.text)
  ) {
    const entry = { context: '', message: '', plural: '' };
    METHODS.get(node.expression.name.text).forEach((role, index) => {
      const given = node.arguments[index];
      if (given && ts.isStringLiteralLike(given)) {
        entry[role] = given.text;
      } else {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        dynamic.push(`${relative(ROOT, file.fileName)}:${line + 1}`);
      }
    });
    const key = JSON.stringify(entry);
    const files = found.get(key) ?? new Set();
    found.set(key, files.add(relative(ROOT, file.fileName)));
  }
  ts.forEachChild(node, child => visit(child, file));
}

for (const path of readdirSync(SOURCES, { recursive: true }).sort()) {
  if (/\.tsx?$/.test(path) && !path.includes('__tests__')) {
    const name = join(SOURCES, path);
    const text = readFileSync(name, 'utf8');
    const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
    visit(file, file);
  }
}
if (dynamic.length) {
  throw new Error(
    `Only a literal can be translated; these calls have none: ${dynamic.join(', ')}`
  );
}
stdout.write(
  JSON.stringify(
    [...found].map(([key, files]) => ({
      ...JSON.parse(key),
      files: [...files]
    }))
  )
);
