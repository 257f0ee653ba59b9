import { CodeEditor } from '@jupyterlab/codeeditor';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ILintItem } from '../recipe';
import { markExtension, showMarks } from './remarkmarks';

/**
 * What {@link DockerfileEditor} is made from.
 */
export interface IDockerfileEditorProps {
  text: string;
  remarks: ReadonlyArray<ILintItem>;
  /** JupyterLab's editors; null: a plain text field. */
  editors: IEditorServices | null;
  /** Is given the editor while there is one. */
  editor: React.MutableRefObject<CodeEditor.IEditor | null>;
  trans: TranslationBundle;
  onChange: (text: string) => void;
}

/**
 * A Dockerfile to be written, in JupyterLab's own editor; lines with a remark are marked.
 */
export function DockerfileEditor(props: IDockerfileEditorProps): JSX.Element {
  const { editors, text, trans } = props;
  const label = trans.__('Dockerfile');
  return editors ? (
    <CodeMirror {...props} editors={editors} label={label} />
  ) : (
    <textarea
      className="jp-ImageManager-input jp-ImageManager-plainCode"
      aria-label={label}
      rows={18}
      spellCheck={false}
      value={text}
      onChange={event => props.onChange(event.target.value)}
    />
  );
}

function CodeMirror(
  props: IDockerfileEditorProps & { editors: IEditorServices; label: string }
): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  const change = React.useRef(props.onChange);
  change.current = props.onChange;
  const shown = React.useRef(props.text);
  const { editor, editors, label } = props;
  const leave = props.trans.__('Escape leaves the text.');

  React.useEffect(() => {
    const model = new CodeEditor.Model({ mimeType: 'text/x-dockerfile' });
    model.sharedModel.setSource(shown.current);
    const made = editors.factoryService.newDocumentEditor({
      host: host.current!,
      model,
      config: { lineNumbers: true, lineWrap: false },
      extensions: [markExtension(label, leave)]
    });
    editor.current = made;
    const onChange = () => {
      const text = model.sharedModel.getSource();
      if (text !== shown.current) {
        shown.current = text;
        change.current(text);
      }
    };
    model.sharedModel.changed.connect(onChange);
    return () => {
      model.sharedModel.changed.disconnect(onChange);
      editor.current = null;
      made.dispose();
      model.dispose();
    };
  }, [editors, label, leave]);

  React.useEffect(() => {
    if (editor.current && props.text !== shown.current) {
      shown.current = props.text;
      editor.current.model.sharedModel.setSource(props.text);
    }
  }, [props.text]);

  React.useEffect(() => {
    if (editor.current) {
      showMarks(editor.current, props.remarks);
    }
  }, [props.remarks, props.text]);

  return (
    <div
      className="jp-ImageManager-editor"
      role="region"
      aria-label={label}
      tabIndex={-1}
      ref={host}
      onKeyDown={event => {
        // Tab indents in the text; so Escape leaves the text first, and the page only from outside.
        if (
          event.key === 'Escape' &&
          event.target !== host.current &&
          !event.defaultPrevented
        ) {
          event.preventDefault();
          host.current?.focus();
        }
      }}
    />
  );
}
