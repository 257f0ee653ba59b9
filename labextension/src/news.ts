import { Notification, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { messageOf } from './request';

/**
 * From this length on JupyterLab cuts a notification.
 */
const NOTIFICATION_LENGTH = 140;

/**
 * Milliseconds that a person waits without being told for what.
 */
const MOMENT = 400;

/**
 * Say what did not happen, and why.
 */
export function report(
  trans: TranslationBundle,
  what: string,
  error: unknown
): void {
  const reason = messageOf(error);
  const text = `${what} ${reason}`;
  Notification.error(text, {
    autoClose: false,
    actions:
      text.length > NOTIFICATION_LENGTH
        ? [
            {
              label: trans.__('Show all'),
              callback: () => {
                void showErrorMessage(what, reason);
              }
            }
          ]
        : []
  });
}

/**
 * Say what is waited for when it takes longer than a moment.
 *
 * @returns A function that takes it back.
 */
export function tellWait(text: string): () => void {
  let id = '';
  const timer = window.setTimeout(() => {
    id = Notification.emit(text, 'in-progress', { autoClose: false });
  }, MOMENT);
  return () => {
    window.clearTimeout(timer);
    if (id) {
      Notification.dismiss(id);
    }
  };
}
