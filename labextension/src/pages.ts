import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';

import { imageIcon } from './icons';
import type { RunField } from './runsettings';
import type { IImage, IImageManager, IProject } from './tokens';

/**
 * The pages of the main area; what is on them is loaded on first use.
 */
export class Pages {
  constructor(private readonly _options: Pages.IOptions) {}

  /**
   * Show the log of a build.
   */
  async openLog(buildId: string): Promise<void> {
    const { app, manager, trans, report } = this._options;
    try {
      const { LogModel, createLogWidget } = await import('./widgets/log');
      const build = await manager.api.getBuild(buildId);
      const image =
        manager.image(build.image_id) ??
        (await manager.api.image(build.image_id));
      this._show(
        `jupyter-image-manager-log-${buildId}`,
        () =>
          createLogWidget({
            model: new LogModel({ api: manager.api, build }),
            image,
            manager,
            commands: app.commands,
            trans
          }),
        trans.__('Log of %1', image.spec)
      );
    } catch (error) {
      await report(trans.__('The log was not opened.'), error);
    }
  }

  /**
   * Show all about an image.
   */
  async openImage(image: IImage): Promise<void> {
    const { app, manager, trans, tracker } = this._options;
    const { contents } = app.serviceManager;
    const { createImageWidget } = await import('./widgets/image');
    const { notebookInFront } = await import('./notebookinfront');
    this._show(
      `jupyter-image-manager-image-${image.id}`,
      () =>
        createImageWidget({
          image,
          manager,
          commands: app.commands,
          trans,
          notebook: () => tracker && notebookInFront(tracker, contents, manager)
        }),
      image.spec
    );
  }

  /**
   * Show how the kernels of a project run; when it is left, the focus returns to where it came from.
   */
  async openRunSettings(project: IProject, first?: RunField): Promise<void> {
    const { manager, trans, report } = this._options;
    const opener = document.activeElement;
    const id = `jupyter-image-manager-run-${project.id}`;
    try {
      const { createRunSettingsWidget } = await import('./widgets/runsettings');
      const status = await manager.api.status();
      this._show(
        id,
        () =>
          createRunSettingsWidget({
            manager,
            project,
            status,
            trans,
            first,
            onClosed: () => {
              this._close(id);
              if (opener instanceof HTMLElement && opener.isConnected) {
                opener.focus();
              }
            }
          }),
        trans.__('Run settings of %1', project.name)
      );
    } catch (error) {
      await report(trans.__('The run settings were not opened.'), error);
    }
  }

  /**
   * Forget the page of a log: its build begins anew.
   */
  closeLog(buildId: string): void {
    this._close(`jupyter-image-manager-log-${buildId}`);
  }

  /**
   * Show the form of a new image; when it is left, the focus returns to where it came from.
   */
  async openNewImage(
    project: IProject,
    args: ReadonlyPartialJSONObject
  ): Promise<void> {
    const { app, manager, trans } = this._options;
    const opener = document.activeElement;
    const { beginningOf, createNewImageWidget, isExplicit } =
      await import('./widgets/newimage');
    const id = `jupyter-image-manager-new-${project.id}`;
    const begin = beginningOf(args);
    if (isExplicit(begin)) {
      // What is typed in a page that is open is kept as its draft, which the next one offers.
      this._close(id);
    }
    this._show(
      id,
      () =>
        createNewImageWidget({
          ...this._options,
          project,
          contents: app.serviceManager.contents,
          begin,
          onSubmitted: build => {
            this._close(id);
            void manager.refresh();
            void this.openLog(build.id);
          },
          onCancelled: () => {
            this._close(id);
            if (opener instanceof HTMLElement && opener.isConnected) {
              opener.focus();
            }
          }
        }),
      trans.__('New image')
    );
  }

  private _show(id: string, create: () => Widget, title: string): void {
    const { shell } = this._options.app;
    if (!this._pages.find(each => each.id === id)) {
      const page = new MainAreaWidget({ content: create() });
      page.id = id;
      page.title.label = title;
      page.title.caption = title;
      page.title.icon = imageIcon;
      page.title.closable = true;
      void this._pages.add(page);
      shell.add(page, 'main');
      if (!page.isAttached) {
        // A shell that shows one document at a time, as Notebook 7 does, has room at the side.
        shell.add(page, 'right');
      }
    }
    shell.activateById(id);
  }

  private _close(id: string): void {
    this._pages.find(each => each.id === id)?.dispose();
  }

  private _pages = new WidgetTracker<MainAreaWidget>({
    namespace: 'jupyter-image-manager'
  });
}

/**
 * A namespace for what {@link Pages} is made from.
 */
export namespace Pages {
  /**
   * Options of the constructor.
   */
  export interface IOptions {
    app: JupyterFrontEnd;
    manager: IImageManager;
    trans: TranslationBundle;
    /** JupyterLab's editors; null where there are none. */
    editors: IEditorServices | null;
    /** The notebooks; null where there are none. */
    tracker: INotebookTracker | null;
    /** What JupyterLab's dialog of files needs; null where there is none. */
    documents: IDocumentManager | null;
    /** Say what did not happen, and why. */
    report: (what: string, error: unknown) => Promise<void>;
  }
}
