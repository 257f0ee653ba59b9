import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { act } from 'react';
import { createRoot } from 'react-dom/client';

import { RunSettingsForm } from '../components/runsettings';
import {
  boundsOf,
  changesOf,
  fieldOf,
  nextMemory,
  summaryOf
} from '../runsettings';
import type { IRunSettings, IStatus } from '../tokens';
import { aProject } from './factory';

(globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;

const trans = nullTranslator.load('jupyter_image_manager');
const GIB = 2 ** 30;
const status: IStatus = {
  version: '1',
  engine: {
    ok: true,
    message: '',
    architecture: 'amd64',
    memory: 16 * GIB,
    memory_in_use: 4 * GIB,
    cpus: 8,
    gpus: [],
    gpu_devices: []
  },
  kernels: {
    memory: null,
    cpus: 2,
    processes: 4096,
    shm_size: null,
    max_memory: 8 * GIB,
    max_cpus: null,
    networks: ['bridge', 'none'],
    mounts: []
  },
  active_builds: 0
};
const usual = aProject().run_settings;

it('says in one line what a kernel may use', () => {
  expect(summaryOf(usual, status, trans)).toBe(
    'Memory without a limit · 2 CPUs · no GPU'
  );
  const settings: IRunSettings = {
    ...usual,
    memory: 8 * GIB,
    cpus: 1,
    gpus: { kind: 'ids', count: 0, ids: ['0', '1'], optional: false }
  };
  expect(summaryOf(settings, status, trans)).toBe(
    'Memory 8 GiB · 1 CPU · 2 GPUs'
  );
});

it('ends the sliders where the administrator or the machine does', () => {
  expect(boundsOf(status)).toEqual({ memory: 8 * GIB, cpus: 8 });
});

it('offers twice the memory, or what is left of that', () => {
  const limited = (memory: number) => ({ ...usual, memory });
  const step = GIB / 4;
  expect(nextMemory(limited(1.2 * step), status).next).toBe(3 * step);
  expect(nextMemory(limited(5 * GIB), status).next).toBe(8 * GIB);
  expect(nextMemory(limited(8 * GIB), status).next).toBeNull();
  expect(nextMemory(usual, status)).toEqual({ now: null, next: null });
});

it.each([
  ["The project's memory limit of 9 TiB is more than", 'memory'],
  ["The project's shared memory of 2 GiB is more than its memory", 'shm_size'],
  ['The project asks for 99 CPUs and 2 are there', 'cpus'],
  ["The project's limit of 3 processes is too small", 'processes'],
  ["The project asks for the network 'x'", 'network'],
  ["'1' is no name of an environment variable", 'environment'],
  ['The secret A should be a reference', 'secrets'],
  ['The project wants to mount /etc, which is not below', 'mounts'],
  ['Something else.', null]
])('puts a refusal at its field: %s', (message, field) => {
  expect(fieldOf(message)).toBe(field);
});

it('sends what was changed, and shows a refusal at its field', async () => {
  const place = document.createElement('div');
  document.body.append(place);
  const root = createRoot(place);
  const sent: Partial<IRunSettings>[] = [];
  await act(async () =>
    root.render(
      <RunSettingsForm
        project={aProject()}
        status={status}
        running={1}
        trans={trans}
        save={async changes => {
          sent.push(changes);
          throw new Error('The memory limit is too small for a kernel.');
        }}
        onCancelled={() => undefined}
      />
    )
  );
  expect(place.textContent).toContain('keeps its settings until');
  expect(place.textContent).not.toContain('GPU');
  const slider = place.querySelector<HTMLInputElement>('[type="range"]')!;
  expect(slider.disabled).toBe(true);
  await act(async () =>
    place.querySelector<HTMLInputElement>('[type="checkbox"]')!.click()
  );
  expect(slider.disabled).toBe(false);
  expect(place.querySelector('output')!.textContent).toBe('4 GiB of 8 GiB');
  await act(async () =>
    place.querySelector<HTMLElement>('[type="submit"]')!.click()
  );
  expect(sent).toEqual([{ memory: 4 * GIB }]);
  expect(slider.getAttribute('aria-invalid')).toBe('true');
  expect(
    document.getElementById(slider.getAttribute('aria-describedby')!)!
      .textContent
  ).toContain('too small');
  root.unmount();
  place.remove();
});

it('offers GPUs by name, and folders that the administrator allows', async () => {
  const place = document.createElement('div');
  document.body.append(place);
  const root = createRoot(place);
  const sent: Partial<IRunSettings>[] = [];
  const devices = [
    { id: 'GPU-aa', name: 'A100' },
    { id: '1', name: 'T4' }
  ];
  await act(async () =>
    root.render(
      <RunSettingsForm
        project={aProject()}
        status={{
          ...status,
          engine: { ...status.engine, gpus: ['nvidia'], gpu_devices: devices },
          kernels: { ...status.kernels, mounts: ['/data', '/models'] }
        }}
        running={0}
        trans={trans}
        save={async changes => void sent.push(changes)}
        onCancelled={() => undefined}
      />
    )
  );
  expect(place.textContent).toContain('4 GiB of 16 GiB are in use');
  const tick = async (words: string) => {
    const label = [...place.querySelectorAll('label')].find(each =>
      each.textContent!.includes(words)
    )!;
    await act(async () => label.querySelector('input')!.click());
  };
  await tick('T4');
  await tick('A100');
  await tick('/models');
  await act(async () =>
    place
      .querySelector<HTMLElement>('[aria-label="Kernels may change /models"]')!
      .click()
  );
  await act(async () =>
    place.querySelector<HTMLElement>('[type="submit"]')!.click()
  );
  expect(sent).toEqual([
    {
      gpus: { kind: 'ids', count: 0, ids: ['GPU-aa', '1'], optional: false },
      mounts: [{ source: '/models', target: '/models', read_only: false }]
    }
  ]);
  root.unmount();
  place.remove();
});

it('leaves out what is as it was', () => {
  expect(changesOf(usual, { ...usual })).toEqual({});
});
