import type { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

import type { IMenuItem } from '../components/context';

/**
 * Open a menu of commands at an element, to which the focus returns.
 */
export function openMenu(
  commands: CommandRegistry,
  items: IMenuItem[],
  anchor: HTMLElement
): void {
  const menu = new Menu({ commands });
  for (const { command, args } of items) {
    menu.addItem({ command, args });
  }
  const { left, bottom } = anchor.getBoundingClientRect();
  menu.aboutToClose.connect(() => {
    anchor.focus();
    // Lumino runs the item's command after this signal.
    requestAnimationFrame(() => menu.dispose());
  });
  menu.open(left, bottom);
  menu.activeIndex = 0;
}
