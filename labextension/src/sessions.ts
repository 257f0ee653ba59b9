import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import { toArray } from '@lumino/algorithm';

/**
 * The session contexts of everything that is open in the main area: notebooks, consoles.
 */
export function sessionContexts(app: JupyterFrontEnd): ISessionContext[] {
  return toArray(app.shell.widgets('main')).flatMap(widget => {
    const context = (widget as Partial<{ sessionContext: ISessionContext }>)
      .sessionContext;
    return context ? [context] : [];
  });
}
