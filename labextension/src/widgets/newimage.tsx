import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { NewImageForm } from '../components/newimage';
import type { IBuild, IImageManager, IProject } from '../tokens';
import { isDockerfile } from '../dockerfile';

/**
 * Make the content of the page that describes a new image.
 */
export function createNewImageWidget(options: {
  manager: IImageManager;
  project: IProject;
  contents: Contents.IManager;
  trans: TranslationBundle;
  source?: 'template' | 'dockerfile';
  name?: string;
  packages?: string;
  onSubmitted: (build: IBuild) => void;
  onCancelled: () => void;
}): ReactWidget {
  const { contents, project } = options;
  const root = project.jupyter_path ?? '';
  const widget = ReactWidget.create(
    <NewImageForm
      {...options}
      dockerfiles={async () => {
        const folder = await contents.get(root, {
          content: true
        });
        const files: Contents.IModel[] = Array.isArray(folder.content)
          ? folder.content
          : [];
        return files
          .filter(file => file.type !== 'directory' && isDockerfile(file.name))
          .map(file => file.name)
          .sort();
      }}
      read={async path => {
        const file = await contents.get(PathExt.join(root, path), {
          type: 'file',
          format: 'text',
          content: true
        });
        return String(file.content);
      }}
    />
  );
  widget.addClass('jp-ImageManager-page');
  return widget;
}
