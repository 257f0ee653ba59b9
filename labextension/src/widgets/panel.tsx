import { PathExt } from '@jupyterlab/coreutils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { ViewContext } from '../components/context';
import type { IViewContext } from '../components/context';
import { Panel } from '../components/panel';
import type { IFound } from '../components/empty';
import { imageIcon } from '../icons';
import type { ListChoice } from '../listchoice';
import { kindOfFile } from '../recipefiles';
import type { IImageManager } from '../tokens';
import { FileDropTarget } from './droptarget';
import { openMenu } from './menu';

/**
 * The panel of the side bar.
 */
export class ImagePanel extends ReactWidget {
  /**
   * Construct the panel.
   */
  constructor(options: ImagePanel.IOptions) {
    super();
    const { manager, trans, commands } = options;
    this.id = 'jupyter-image-manager-panel';
    this.addClass('jp-ImageManager-panel');
    this.title.icon = imageIcon;
    this.title.caption = trans.__('Images');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Images'));
    this._contents = options.contents;
    this._listChoice = options.listChoice;
    this._drop = new FileDropTarget(
      this.node,
      path => kindOfFile(PathExt.basename(path)) !== null,
      path => {
        void commands.execute(CommandIDs.newImageFrom, {
          path: this._contents.localPath(path)
        });
      }
    );
    this._view = {
      manager,
      trans,
      run: (command, args) => {
        void commands.execute(command, args);
      },
      openMenu: (items, anchor) => openMenu(commands, items, anchor)
    };
  }

  dispose(): void {
    this._drop.dispose();
    super.dispose();
  }

  protected onActivateRequest(): void {
    if (!this.node.contains(document.activeElement)) {
      this.node.focus();
    }
  }

  protected render(): JSX.Element {
    return (
      <ViewContext.Provider value={this._view}>
        <div className="jp-ImageManager-heading">
          {this._view.trans.__('Images')}
        </div>
        <Panel look={this._look} listChoice={this._listChoice} />
      </ViewContext.Provider>
    );
  }

  private _look = async (folder: string): Promise<IFound[]> => {
    const model = await this._contents.get(folder, { content: true });
    const files: Contents.IModel[] = Array.isArray(model.content)
      ? model.content
      : [];
    return files.flatMap((file): IFound[] => {
      const kind = file.type === 'directory' ? null : kindOfFile(file.name);
      return kind ? [{ name: file.name, path: file.path, kind }] : [];
    });
  };

  private _view: IViewContext;
  private _contents: Contents.IManager;
  private _listChoice: ListChoice;
  private _drop: FileDropTarget;
}

/**
 * A namespace for what {@link ImagePanel} is made from.
 */
export namespace ImagePanel {
  /**
   * Options of the constructor.
   */
  export interface IOptions {
    manager: IImageManager;
    trans: TranslationBundle;
    commands: CommandRegistry;
    contents: Contents.IManager;
    listChoice: ListChoice;
  }
}
