import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { messageOf } from '../request';
import {
  MEMORY_STEP,
  boundsOf,
  changesOf,
  fieldOf,
  formatMemory
} from '../runsettings';
import type { RunField } from '../runsettings';
import type { IProject, IRunSettings, IStatus } from '../tokens';
import { ActionButton } from './parts';
import type { Rows } from './runfields';
import { RunGpus } from './rungpus';
import { Limit } from './runlimit';
import { RunMounts } from './runmounts';
import { RunTable } from './runtable';

const MB = 2 ** 20;
const GB = 2 ** 30;

/**
 * The form of how the kernels of a project run.
 */
export function RunSettingsForm(props: {
  project: IProject;
  status: IStatus;
  /** Kernels of the project that run now. */
  running: number;
  /** What has the focus at first. */
  first?: RunField;
  trans: TranslationBundle;
  save: (changes: Partial<IRunSettings>) => Promise<void>;
  onCancelled: () => void;
}): JSX.Element {
  const { project, status, trans } = props;
  const before = project.run_settings;
  const id = React.useId();
  const [now, setNow] = React.useState(before);
  const [variables, setVariables] = React.useState<Rows>(
    Object.entries(before.environment)
  );
  const [secrets, setSecrets] = React.useState<Rows>(
    Object.entries(before.secrets)
  );
  const [refusal, setRefusal] = React.useState<{
    field: RunField | null;
    text: string;
  } | null>(null);
  const [saving, setSaving] = React.useState(false);
  React.useEffect(() => {
    if (props.first) {
      // A slider that is not wanted yet cannot have it: then its tick.
      const field = document.getElementById(`${id}-${props.first}`);
      const part = field?.closest('.jp-ImageManager-runField');
      part?.querySelector<HTMLElement>('input:enabled, select')?.focus();
    }
  }, []);
  const most = boundsOf(status);
  const usual = status.kernels;
  const set = (changes: Partial<IRunSettings>) => {
    setNow({ ...now, ...changes });
    setRefusal(null);
  };
  const submit = async () => {
    setSaving(true);
    try {
      const named = (rows: Rows) =>
        Object.fromEntries(rows.filter(([name]) => name !== ''));
      await props.save(
        changesOf(before, {
          ...now,
          environment: named(variables),
          secrets: named(secrets)
        })
      );
    } catch (error) {
      const text = messageOf(error);
      const field = fieldOf(text);
      setRefusal({ field, text });
      if (field) {
        document.getElementById(`${id}-${field}`)?.focus();
      }
    } finally {
      setSaving(false);
    }
  };
  const problem = (field: RunField) =>
    refusal?.field === field ? (
      <p className="jp-ImageManager-problem" id={`${id}-${field}-problem`}>
        {refusal.text}
      </p>
    ) : null;
  const marked = (field: RunField) => ({
    id: `${id}-${field}`,
    'aria-invalid': refusal?.field === field || undefined,
    'aria-describedby':
      refusal?.field === field ? `${id}-${field}-problem` : undefined
  });
  const wholeNumber = (text: string): number | null =>
    text === '' ? null : Math.max(0, Math.round(Number(text)));

  return (
    <form
      className="jp-ImageManager-runSettings"
      aria-label={trans.__('Run settings')}
      onSubmit={event => {
        event.preventDefault();
        void submit();
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          props.onCancelled();
        }
      }}
    >
      <h2>{trans.__('What kernels of %1 may use', project.name)}</h2>
      <p className="jp-ImageManager-sub">
        {props.running > 0
          ? trans._n(
              'It holds for kernels in images. The one that runs keeps its settings until it is restarted.',
              'It holds for kernels in images. The %1 that run keep their settings until they are restarted.',
              props.running
            )
          : trans.__('It holds for kernels in images, from their next start.')}
      </p>
      <Limit
        field={marked('memory')}
        label={trans.__('Memory')}
        tick={trans.__('Limit the memory')}
        value={now.memory}
        most={most.memory ?? Math.max(64 * GB, now.memory ?? 0)}
        least={256 * MB}
        step={MEMORY_STEP}
        first={Math.min(usual.memory ?? 4 * GB, most.memory ?? 4 * GB)}
        format={formatMemory}
        usual={
          usual.memory !== null
            ? trans.__('The administrator’s %1', formatMemory(usual.memory))
            : trans.__('All that is there')
        }
        ends={most.memory && trans.__('of %1', formatMemory(most.memory))}
        inUse={
          status.engine.memory && status.engine.memory_in_use
            ? trans.__(
                '%1 of %2 are in use on the machine now.',
                formatMemory(status.engine.memory_in_use),
                formatMemory(status.engine.memory)
              )
            : ''
        }
        onChange={memory => set({ memory })}
        problem={problem('memory')}
      />
      <Limit
        field={marked('cpus')}
        label={trans.__('CPUs')}
        tick={trans.__('Limit the CPUs')}
        value={now.cpus}
        most={most.cpus ?? Math.max(64, now.cpus ?? 0)}
        least={0.5}
        step={0.5}
        first={Math.min(usual.cpus ?? 1, most.cpus ?? 1)}
        format={String}
        usual={
          usual.cpus !== null
            ? trans.__('The administrator’s %1', usual.cpus)
            : trans.__('All that are there')
        }
        ends={most.cpus && trans.__('of %1', most.cpus)}
        onChange={cpus => set({ cpus })}
        problem={problem('cpus')}
      />
      <div className="jp-ImageManager-runField">
        <label htmlFor={`${id}-processes`}>
          {trans.__('Processes, at most')}
        </label>
        <input
          {...marked('processes')}
          className="jp-mod-styled"
          type="number"
          min="1"
          value={now.processes ?? ''}
          placeholder={String(usual.processes ?? '')}
          onChange={event =>
            set({ processes: wholeNumber(event.target.value) })
          }
        />
        {problem('processes')}
      </div>
      <div className="jp-ImageManager-runField">
        <label htmlFor={`${id}-shm_size`}>
          {trans.__('Shared memory in MiB, for data loaders')}
        </label>
        <input
          {...marked('shm_size')}
          className="jp-mod-styled"
          type="number"
          min="1"
          value={now.shm_size === null ? '' : Math.round(now.shm_size / MB)}
          placeholder={String(
            usual.shm_size === null ? 64 : Math.round(usual.shm_size / MB)
          )}
          onChange={event => {
            const size = wholeNumber(event.target.value);
            set({ shm_size: size === null ? null : size * MB });
          }}
        />
        {problem('shm_size')}
      </div>
      <div className="jp-ImageManager-runField">
        <label htmlFor={`${id}-network`}>{trans.__('Network')}</label>
        <select
          {...marked('network')}
          className="jp-mod-styled"
          value={now.network}
          onChange={event => set({ network: event.target.value })}
        >
          {[...new Set([...usual.networks, now.network])].map(name => (
            <option key={name} value={name}>
              {name === 'bridge'
                ? trans.__('As the machine: the internet can be reached')
                : name === 'none'
                  ? trans.__('None: nothing can be reached')
                  : name}
            </option>
          ))}
        </select>
        {problem('network')}
      </div>
      {status.engine.gpus.length > 0 && (
        <RunGpus
          field={marked('gpus')}
          value={now.gpus}
          devices={status.engine.gpu_devices}
          trans={trans}
          onChange={gpus => set({ gpus })}
          problem={problem('gpus')}
        />
      )}
      <RunMounts
        id={`${id}-mounts`}
        value={now.mounts}
        allowed={usual.mounts}
        trans={trans}
        onChange={mounts => set({ mounts })}
        problem={problem('mounts')}
      />
      <RunTable
        field={marked('environment')}
        title={trans.__('Environment variables')}
        hint=""
        value={trans.__('Value')}
        add={trans.__('Add a variable')}
        rows={variables}
        trans={trans}
        onChange={rows => {
          setVariables(rows);
          setRefusal(null);
        }}
        problem={problem('environment')}
      />
      <RunTable
        field={marked('secrets')}
        title={trans.__('Secrets')}
        hint={trans.__(
          'Where the secret is found on the server, never the secret itself: env:NAME or file:PATH.'
        )}
        value={trans.__('Found in')}
        add={trans.__('Add a secret')}
        rows={secrets}
        trans={trans}
        onChange={rows => {
          setSecrets(rows);
          setRefusal(null);
        }}
        problem={problem('secrets')}
      />
      {refusal && refusal.field === null && (
        <p className="jp-ImageManager-problem">{refusal.text}</p>
      )}
      <p className="jp-ImageManager-hidden" role="status">
        {refusal?.text}
      </p>
      <div className="jp-ImageManager-buttons">
        <button
          type="submit"
          className="jp-ImageManager-button"
          data-kind="filled"
          disabled={saving}
        >
          {trans.__('Save')}
        </button>
        <ActionButton onClick={props.onCancelled}>
          {trans.__('Cancel')}
        </ActionButton>
      </div>
    </form>
  );
}
