import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import { NotebookActions } from '@jupyterlab/notebook';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import type { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { MissingModule } from '../components/missingmodule';
import { kernelsOf } from '../kernels';
import { MissingModules } from '../missing';
import { missingName } from '../modules';
import type { IImageManager } from '../tokens';
import { insertBar } from './cellbar';

/** Milliseconds that a kernel may take to be idle after its restart. */
const PATIENCE = 120_000;

/**
 * The bars of one notebook.
 */
export class MissingBars {
  constructor(private readonly _options: MissingBars.IOptions) {
    const { app, manager, panel } = _options;
    this.modules = new MissingModules({
      manager,
      contents: app.serviceManager.contents,
      host: {
        path: () => app.serviceManager.contents.localPath(panel.context.path),
        kernelId: () => panel.sessionContext.session?.kernel?.id,
        busy: () => panel.sessionContext.session?.kernel?.status === 'busy',
        runs: () => this._runs,
        others: async project => {
          const [projects, kernels] = await Promise.all([
            manager.api.projects(),
            manager.api.kernels()
          ]);
          const sessions = [...app.serviceManager.sessions.running()];
          const mine = panel.sessionContext.session?.kernel?.id;
          return kernelsOf(project, projects, sessions, kernels).filter(
            kernel => kernel.kernelId !== mine
          ).length;
        },
        goOn: cells => this._goOn(cells as ReadonlyArray<Cell>)
      }
    });
    panel.disposed.connect(() => this.modules.dispose());
  }

  readonly modules: MissingModules;

  /** A cell was sent to the kernel. */
  scheduled(): void {
    this._runs += 1;
  }

  /**
   * A cell came back.
   *
   * @param error - Name and message, where it failed.
   * @param wanted - Whether anything is to be offered.
   */
  async executed(
    cell: Cell,
    error: { name: string; message: string } | null,
    wanted: boolean
  ): Promise<void> {
    if (!error) {
      this.modules.succeeded(cell);
      this._tidy();
      return;
    }
    this.modules.dismiss(cell);
    const dotted = wanted && missingName(error.name, error.message);
    const offer = dotted && (await this.modules.look(cell, dotted));
    if (offer && !cell.isDisposed) {
      this._show(cell);
    }
    this._tidy();
  }

  private async _goOn(cells: ReadonlyArray<Cell>): Promise<void> {
    const { panel, translator } = this._options;
    const { content, sessionContext } = panel;
    await sessionContext.restartKernel();
    const kernel = sessionContext.session?.kernel;
    if (kernel) {
      await idle(kernel); // what is asked before is forgotten
    }
    const order = content.widgets;
    // One by one: that one of them fails is no reason not to run the next.
    for (const cell of [...cells].sort(
      (a, b) => order.indexOf(a) - order.indexOf(b)
    )) {
      if (!cell.isDisposed) {
        await NotebookActions.runCells(
          content,
          [cell],
          sessionContext,
          undefined,
          translator
        );
      }
    }
    this._tidy();
  }

  private _show(cell: Cell): void {
    if (this._bars.has(cell)) {
      return;
    }
    const { app, panel, trans } = this._options;
    const bar = insertBar(
      cell,
      <MissingModule
        cell={cell}
        modules={this.modules}
        trans={trans}
        run={(command, args) => void app.commands.execute(command, args)}
        onClosed={() => {
          const focused = bar.node.contains(document.activeElement);
          this.modules.dismiss(cell);
          this._tidy();
          if (focused) {
            panel.content.activeCellIndex = panel.content.widgets.indexOf(cell);
            panel.content.activate();
          }
        }}
      />
    );
    this._bars.set(cell, bar);
    cell.disposed.connect(() => this._bars.delete(cell));
  }

  /** Take away the bars whose offers are gone. */
  private _tidy(): void {
    for (const [cell, bar] of this._bars) {
      if (!this.modules.offer(cell)) {
        this._bars.delete(cell);
        bar.dispose();
      }
    }
  }

  private _runs = 0;
  private _bars = new Map<Cell, ReactWidget>();
}

/**
 * A namespace for what {@link MissingBars} is made from.
 */
export namespace MissingBars {
  /**
   * Options of the constructor.
   */
  export interface IOptions {
    app: JupyterFrontEnd;
    manager: IImageManager;
    panel: NotebookPanel;
    trans: TranslationBundle;
    translator: ITranslator;
  }
}

/**
 * Wait until a kernel takes what it is asked.
 */
async function idle(kernel: Kernel.IKernelConnection): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (kernel.isDisposed || kernel.status === 'dead') {
        settle(() => reject(new Error('The kernel did not start again.')));
      } else if (
        kernel.connectionStatus === 'connected' &&
        kernel.status === 'idle'
      ) {
        settle(resolve);
      }
    };
    const timer = setTimeout(
      () => settle(() => reject(new Error('The kernel does not answer.'))),
      PATIENCE
    );
    const settle = (end: () => void) => {
      clearTimeout(timer);
      kernel.statusChanged.disconnect(look);
      kernel.connectionStatusChanged.disconnect(look);
      kernel.disposed.disconnect(look);
      end();
    };
    kernel.statusChanged.connect(look);
    kernel.connectionStatusChanged.connect(look);
    kernel.disposed.connect(look);
    look();
  });
}
