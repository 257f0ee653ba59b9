import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { DocumentWidget } from '@jupyterlab/docregistry';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ITranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';

import { ImageManagerAPI } from '../api';
import { ImageManagerModel } from '../model';
import { IImageManager } from '../tokens';
import { VERSION } from '../version';

/**
 * Milliseconds that the page's address may take to be opened.
 */
const PATIENCE = 3000;

/**
 * Provides the state of the project in front.
 */
export const managerPlugin: JupyterFrontEndPlugin<IImageManager> = {
  id: 'jupyter-image-manager:manager',
  description: 'Keeps the images of the project in front up to date.',
  autoStart: true,
  provides: IImageManager,
  requires: [ITranslator],
  optional: [IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    browser: IDefaultFileBrowser | null
  ): IImageManager => {
    const trans = translator.load('jupyter_image_manager');
    const { serviceManager } = app;
    const manager = new ImageManagerModel({
      api: new ImageManagerAPI(serviceManager.serverSettings, trans),
      version: VERSION,
      events: serviceManager.events.stream,
      sessions: serviceManager.sessions,
      start: app.restored // the page comes up first
    });
    followFront(app, manager, browser);
    announceProblems(manager, trans);
    return manager;
  }
};

/**
 * Let the manager follow what is in front: the current document, else the file browser's folder; the last one wins.
 */
function followFront(
  app: JupyterFrontEnd,
  manager: ImageManagerModel,
  browser: IDefaultFileBrowser | null
): void {
  const local = (path: string) => app.serviceManager.contents.localPath(path);
  const followWidget = () => {
    const widget = app.shell.currentWidget;
    if (widget instanceof DocumentWidget) {
      manager.setPath(local(widget.context.path), false);
      return true;
    }
    return false;
  };
  const followBrowser = () => {
    manager.setPath(browser ? local(browser.model.path) : '', true);
  };
  app.shell.currentChanged?.connect(() => {
    followWidget();
  });
  browser?.model.pathChanged.connect(followBrowser);
  void app.restored.then(async () => {
    await browser?.model.restored;
    // The folder or file of the page's address is opened only now; until then another one seems to be in front.
    const wanted = PageConfig.getOption('treePath');
    if (!followWidget() && (!wanted || wanted === browser?.model.path)) {
      followBrowser();
    } else if (wanted) {
      window.setTimeout(() => {
        if (!manager.hasPath) {
          followBrowser(); // it could not be opened
        }
      }, PATIENCE);
    }
  });
}

/**
 * Say once, calmly, why nothing of ours is to be seen.
 */
function announceProblems(
  manager: ImageManagerModel,
  trans: TranslationBundle
): void {
  let told = '';
  manager.stateChanged.connect(() => {
    if (manager.server === told || manager.known) {
      return; // else the panel and the pages say it
    }
    told = manager.server;
    if (told === 'absent') {
      Notification.info(
        trans.__(
          'Images are hidden: the server lacks its part. Run “pip install jupyter_image_manager” there and restart it.'
        ),
        { autoClose: 10000 }
      );
    } else if (told === 'mismatch') {
      Notification.info(
        trans.__(
          'Images wait: this page is of version %1, the server of %2. Reload the page; if that does not help, restart the server.',
          VERSION,
          manager.serverVersion
        ),
        {
          autoClose: false,
          actions: [
            {
              label: trans.__('Reload'),
              callback: () => window.location.reload()
            }
          ]
        }
      );
    }
  });
}
