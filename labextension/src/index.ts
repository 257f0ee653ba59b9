import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { buildsPlugin } from './plugins/builds';
import { commandsPlugin } from './plugins/commands';
import { entrancesPlugin } from './plugins/entrances';
import { kernelsPlugin } from './plugins/kernels';
import { managerPlugin } from './plugins/manager';
import { missingPlugin } from './plugins/missing';
import { notebookPlugin } from './plugins/notebook';
import { panelPlugin } from './plugins/panel';
import { statusPlugin } from './plugins/status';
import { storagePlugin } from './plugins/storage';
import { toolbarPlugin } from './plugins/toolbar';

export * from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  managerPlugin,
  commandsPlugin,
  buildsPlugin,
  kernelsPlugin,
  panelPlugin,
  statusPlugin,
  toolbarPlugin,
  notebookPlugin,
  missingPlugin,
  entrancesPlugin,
  storagePlugin
];

export default plugins;
