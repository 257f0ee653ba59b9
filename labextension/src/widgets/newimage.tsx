import type { IEditorServices } from '@jupyterlab/codeeditor';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { NewImageForm } from '../components/newimage';
import { ServerNotice } from '../components/servernotice';
import type { IBeginning } from '../draft';
import { DraftStore } from '../draftstore';
import { NewImageModel } from '../newimagemodel';
import type { IBuild, IImageManager, IProject } from '../tokens';

export { beginningOf, isExplicit } from '../draft';

/**
 * Make the content of the page that describes a new image.
 */
export function createNewImageWidget(options: {
  manager: IImageManager;
  project: IProject;
  begin: IBeginning;
  contents: Contents.IManager;
  editors: IEditorServices | null;
  trans: TranslationBundle;
  /** What JupyterLab's dialog of files needs; null where there is none. */
  documents: IDocumentManager | null;
  onSubmitted: (build: IBuild) => void;
  onCancelled: () => void;
}): ReactWidget {
  const { contents, documents, project } = options;
  const root = project.jupyter_path ?? '';
  const model = new NewImageModel({
    ...options,
    store: new DraftStore(project.id, window.sessionStorage),
    files: async () => {
      const folder = await contents.get(root, { content: true });
      const files: Contents.IModel[] = Array.isArray(folder.content)
        ? folder.content
        : [];
      return files.map(file => file.name).sort();
    },
    read: async path => {
      const file = await contents.get(PathExt.join(root, path), {
        type: 'file',
        format: 'text',
        content: true
      });
      return String(file.content);
    }
  });
  const widget = ReactWidget.create(
    <>
      <ServerNotice manager={options.manager} trans={options.trans} />
      <NewImageForm
        model={model}
        editors={options.editors}
        trans={options.trans}
        pickFile={documents && (() => pickFile(documents, root, options.trans))}
        onSubmitted={options.onSubmitted}
        onCancelled={options.onCancelled}
      />
    </>
  );
  widget.disposed.connect(() => model.dispose());
  widget.addClass('jp-ImageManager-page');
  return widget;
}

/**
 * Let a person choose a file of a project; its path is relative to that.
 */
async function pickFile(
  manager: IDocumentManager,
  root: string,
  trans: TranslationBundle
): Promise<string | null> {
  const { value } = await FileDialog.getOpenFiles({
    manager,
    title: trans.__('Choose an archive'),
    defaultPath: root,
    root
  });
  const chosen = value?.[0];
  return chosen && chosen.type !== 'directory'
    ? PathExt.relative(root, manager.services.contents.localPath(chosen.path))
    : null;
}
