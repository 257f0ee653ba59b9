import { PathExt } from '@jupyterlab/coreutils';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { imageIcon } from '../icons';
import type { RecipeFileKind } from '../recipefiles';
import { useView } from './context';
import { ActionButton } from './parts';

/**
 * What the file browser's folder holds that an image can be built from.
 */
export interface IFound {
  name: string;
  /** Relative to the server's root. */
  path: string;
  kind: RecipeFileKind;
}

/**
 * What is shown in a folder of no project.
 */
export function NoProject({
  look
}: {
  look: (folder: string) => Promise<IFound[]>;
}): JSX.Element {
  const { manager, trans, run } = useView();
  const name = PathExt.basename(manager.folder) || trans.__('Home');
  return (
    <div className="jp-ImageManager-empty">
      <imageIcon.react tag="span" width="36px" height="36px" />
      <h2>{trans.__('This folder has no environment of its own')}</h2>
      <p>
        {trans.__(
          'Notebooks here run in the server’s Python. Make the folder a project, and they run in an image with exactly the libraries that you choose. Your files stay where they are.'
        )}
      </p>
      <ActionButton
        kind="filled"
        onClick={() => run(CommandIDs.createProject, { path: manager.folder })}
      >
        <span className="jp-ImageManager-cut">
          {trans.__('Make “%1” a project', name)}
        </span>
      </ActionButton>
      <Found folder={manager.folder} look={look} />
    </div>
  );
}

/**
 * What is shown in a project without an image.
 */
export function NoImages({
  look
}: {
  look: (folder: string) => Promise<IFound[]>;
}): JSX.Element {
  const { manager, trans, run } = useView();
  return (
    <div className="jp-ImageManager-empty">
      <h2>{trans.__('No image yet')}</h2>
      <p>
        {trans.__(
          'Describe the libraries you need, or take a Dockerfile. Building changes nothing: notebooks go on as they are until you activate the image.'
        )}
      </p>
      <ActionButton kind="filled" onClick={() => run(CommandIDs.newImage)}>
        {trans.__('Build the first image')}
      </ActionButton>
      <Found
        folder={manager.project?.jupyter_path ?? manager.folder}
        look={look}
      />
    </div>
  );
}

function Found(props: {
  folder: string;
  look: (folder: string) => Promise<IFound[]>;
}): JSX.Element | null {
  const { trans, run } = useView();
  const { folder, look } = props;
  const [found, setFound] = React.useState<IFound[]>([]);
  React.useEffect(() => {
    let current = true;
    setFound([]);
    look(folder).then(
      files => {
        if (current) {
          setFound(files);
        }
      },
      () => undefined // a folder that cannot be listed has nothing to offer
    );
    return () => {
      current = false;
    };
  }, [folder, look]);
  if (!found.length) {
    return null;
  }
  return (
    <div className="jp-ImageManager-found">
      <p>{trans.__('Found in this folder')}</p>
      {found.map(file => (
        <div key={file.name} className="jp-ImageManager-foundItem">
          <b>{file.name}</b>
          <ActionButton
            kind="link"
            onClick={() => run(CommandIDs.newImageFrom, { path: file.path })}
          >
            {trans.__('Build an image from it')}
          </ActionButton>
        </div>
      ))}
    </div>
  );
}
