import { StateEffect, StateField } from '@codemirror/state';
import type { Extension } from '@codemirror/state';
import { Decoration, EditorView } from '@codemirror/view';
import type { DecorationSet } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';

import type { ILintItem } from '../recipe';
import { toneOf } from './remarks';

const setMarks = StateEffect.define<DecorationSet>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (value, transaction) => {
    for (const effect of transaction.effects) {
      if (effect.is(setMarks)) {
        return effect.value;
      }
    }
    return value.map(transaction.changes);
  },
  provide: field => EditorView.decorations.from(field)
});

/**
 * Lets an editor mark lines, and says what it holds and how it is left.
 */
export function markExtension(label: string, leave: string): Extension {
  return [
    marks,
    EditorView.contentAttributes.of({
      'aria-label': label,
      'aria-description': leave
    })
  ];
}

/**
 * Mark the lines that have a remark.
 */
export function showMarks(
  editor: CodeEditor.IEditor,
  remarks: ReadonlyArray<ILintItem>
): void {
  const view = viewOf(editor);
  if (!view) {
    return;
  }
  const { doc } = view.state;
  const worst = new Map<number, ILintItem>();
  for (const remark of remarks) {
    const known = worst.get(remark.line);
    if (remark.line >= 1 && remark.line <= doc.lines) {
      if (!known || rank(remark) > rank(known)) {
        worst.set(remark.line, remark);
      }
    }
  }
  const ranges = [...worst.values()]
    .sort((a, b) => a.line - b.line)
    .map(remark =>
      Decoration.line({
        attributes: {
          class: 'jp-ImageManager-remarkLine',
          'data-tone': toneOf(remark),
          title: remark.message
        }
      }).range(doc.line(remark.line).from)
    );
  view.dispatch({ effects: setMarks.of(Decoration.set(ranges)) });
}

function rank(remark: ILintItem): number {
  return ['info', 'warning', 'error'].indexOf(remark.level);
}

/** The view of CodeMirror behind an editor of JupyterLab; null when another editor was put in its place. */
function viewOf(editor: CodeEditor.IEditor): EditorView | null {
  const view = 'editor' in editor ? editor.editor : null;
  return view instanceof EditorView ? view : null;
}
