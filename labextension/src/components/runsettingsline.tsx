import * as React from 'react';

import { CommandIDs } from '../commands';
import { summaryOf } from '../runsettings';
import type { IProject, IStatus } from '../tokens';
import { useView } from './context';
import { ActionButton } from './parts';

/**
 * What a kernel may use, with the way to change it.
 */
export function RunSettingsLine({
  project
}: {
  project: IProject;
}): JSX.Element {
  const { manager, trans, run } = useView();
  const [status, setStatus] = React.useState<IStatus | null>(null);
  React.useEffect(() => {
    let wanted = true;
    manager.api.status().then(
      answer => wanted && setStatus(answer),
      () => undefined // the panel says already that the server does not answer
    );
    return () => {
      wanted = false;
    };
  }, [manager, project.id]);
  return (
    <div className="jp-ImageManager-cardLine">
      <span className="jp-ImageManager-sub">
        {status ? summaryOf(project.run_settings, status, trans) : '\u00a0'}
      </span>
      <ActionButton
        kind="link"
        label={trans.__('Change what kernels may use')}
        onClick={() => run(CommandIDs.runSettings)}
      >
        {trans.__('Change')}
      </ActionButton>
    </div>
  );
}
