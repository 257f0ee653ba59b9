import type { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommunityPage } from '../components/community';
import { UsagePage } from '../components/usagepage';
import { createPage } from './page';
import type { IPageOptions } from './page';

/**
 * Make the page of the communities' registries.
 */
export function createCommunityWidget(options: IPageOptions): ReactWidget {
  return createPage(options, <CommunityPage />);
}

/**
 * Make the page of what a project's images take.
 */
export function createUsageWidget(
  options: IPageOptions & { project: string }
): ReactWidget {
  return createPage(options, <UsagePage project={options.project} />);
}
