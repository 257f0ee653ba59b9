import { ServerConnection } from '@jupyterlab/services';

import type { IBuild, IImage, IProject } from '../tokens';

export function anImage(changes: Partial<IImage> = {}): IImage {
  const image = {
    id: 'i1',
    project_id: 'p1',
    name: 'scientific',
    version: 1,
    state: 'ready' as const,
    storage: 'local' as const,
    created: '2026-11-01T10:00:00.000Z',
    created_by: 'ada',
    description: '',
    digest: 'sha256:aa',
    engine_image: 'sha256:aa',
    size: 1_234_000_000,
    python_version: '3.11.9',
    architecture: 'amd64',
    optimized: true,
    registry_state: 'none' as const,
    registry_checked: null,
    repository: '',
    registry_size: 0,
    active: false,
    project: 'churn',
    warnings: [],
    running_kernels: 0,
    published_to: [],
    held: null,
    last_build_id: null,
    ...changes
  };
  return { spec: `${image.name}:${image.version}`, ...image };
}

export function aBuild(changes: Partial<IBuild> = {}): IBuild {
  return {
    id: 'b1',
    project_id: 'p1',
    image_id: 'i1',
    kind: 'build',
    state: 'building',
    requested_by: 'ada',
    created: '2026-11-01T10:00:00.000Z',
    started: '2026-11-01T10:00:00.000Z',
    finished: null,
    step: 2,
    steps: 5,
    instruction: 'RUN true',
    estimate: null,
    failure: null,
    activate: false,
    cancel_requested: false,
    log_lines: 0,
    attempt: 1,
    ...changes
  };
}

export function aProject(changes: Partial<IProject> = {}): IProject {
  return {
    id: 'p1',
    name: 'churn',
    path: '/root/churn',
    jupyter_path: 'churn',
    owner: 'ada',
    active_image_id: null,
    previous_image_id: null,
    active_image: null,
    is_default: false,
    found: true,
    stale_kernels: [],
    warnings: [],
    run_settings: {
      memory: null,
      cpus: null,
      processes: null,
      shm_size: null,
      gpus: { kind: 'none', count: 0, ids: [], optional: false },
      environment: {},
      secrets: {},
      network: 'bridge',
      mounts: []
    },
    ...changes
  };
}

/**
 * Settings of a server that answers by a function of the request.
 */
export function settingsOf(
  answer: (request: Request) => Response | Promise<Response>
): ServerConnection.ISettings {
  return ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/base/',
    fetch: async (input, init) => answer(new Request(input, init))
  });
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json' }
  });
}
