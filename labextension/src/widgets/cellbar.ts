import type { Cell } from '@jupyterlab/cells';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { PanelLayout } from '@lumino/widgets';

/**
 * Put a bar below what a cell shows.
 */
export function insertBar(cell: Cell, content: JSX.Element): ReactWidget {
  const bar = ReactWidget.create(content);
  bar.addClass('jp-ImageManager-missingPlace');
  const layout = cell.layout as PanelLayout;
  layout.insertWidget(layout.widgets.length - 1, bar); // before the footer
  return bar;
}
