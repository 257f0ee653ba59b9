import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { RunSettingsForm } from '../components/runsettings';
import { ServerNotice } from '../components/servernotice';
import type { RunField } from '../runsettings';
import type { IImageManager, IProject, IStatus } from '../tokens';

/**
 * Make the page of a project's run settings.
 */
export function createRunSettingsWidget(options: {
  manager: IImageManager;
  project: IProject;
  status: IStatus;
  trans: TranslationBundle;
  /** What has the focus at first. */
  first?: RunField;
  onClosed: () => void;
}): ReactWidget {
  const { manager, project, trans, onClosed } = options;
  const running = manager.kernels.filter(
    each => each.project_id === project.id
  ).length;
  const widget = ReactWidget.create(
    <>
      <ServerNotice manager={manager} trans={trans} />
      <RunSettingsForm
        project={project}
        status={options.status}
        running={running}
        first={options.first}
        trans={trans}
        save={async changes => {
          await manager.api.setRunSettings(project.id, changes);
          await manager.refresh();
          Notification.success(
            running
              ? trans.__(
                  'Saved. Running kernels keep their settings until they are restarted.'
                )
              : trans.__('Saved.'),
            { autoClose: 6000 }
          );
          onClosed();
        }}
        onCancelled={onClosed}
      />
    </>
  );
  widget.addClass('jp-ImageManager-page');
  return widget;
}
