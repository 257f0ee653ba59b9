import * as React from 'react';

import { messageOf } from '../request';
import { StorageAPI } from '../storageapi';
import type { ICommunity, IFinding } from '../storageapi';
import { useAsked } from './asked';
import { useView } from './context';
import { ActionButton, Mark } from './parts';

/**
 * Where communities keep their images, and who pushes them there.
 */
export function CommunityPage(): JSX.Element {
  const { manager, trans } = useView();
  const api = React.useMemo(() => new StorageAPI(manager.api), [manager.api]);
  const { value, problem } = useAsked(() => api.communities(), [api]);
  return (
    <div className="jp-ImageManager-communities">
      <h1>{trans.__('Registries of the communities')}</h1>
      <p>
        {trans.__(
          'A registry is a server that keeps images. Images there do not fill this machine’s disk, and every project of the community can bring them to where it runs. A service agent is an account of the registry by which images are pushed and pulled; nobody signs in as it.'
        )}
      </p>
      {problem && (
        <div className="jp-ImageManager-banner" data-tone="error" role="alert">
          {problem}
        </div>
      )}
      {value?.map(each => (
        <CommunityForm key={each.id} first={each} api={api} />
      ))}
    </div>
  );
}

function CommunityForm(props: {
  first: ICommunity;
  api: StorageAPI;
}): JSX.Element {
  const { trans } = useView();
  const { api } = props;
  const id = React.useId();
  const [community, setCommunity] = React.useState(props.first);
  const [host, setHost] = React.useState(community.registry_host);
  const [namespace, setNamespace] = React.useState(community.namespace);
  const [user, setUser] = React.useState(community.agent);
  const [secret, setSecret] = React.useState('');
  const [busy, setBusy] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const [said, setSaid] = React.useState('');
  const [findings, setFindings] = React.useState<IFinding[]>([]);
  const attempt = async (what: () => Promise<string>) => {
    setBusy(true);
    setProblem('');
    setSaid('');
    try {
      setSaid(await what());
    } catch (error) {
      setProblem(messageOf(error));
    }
    setBusy(false);
  };
  const save = async () => {
    let now = await api.changeCommunity(community.id, {
      registry_host: host.trim(),
      namespace: namespace.trim()
    });
    if (secret) {
      now = await api.setAgent(community.id, user.trim(), secret);
      setSecret(''); // it is on the server now, and nowhere else
    }
    setCommunity(now);
    return trans.__('Saved.');
  };
  const enable = async (agent_enabled: boolean) => {
    setCommunity(await api.changeCommunity(community.id, { agent_enabled }));
    return trans.__('Saved.');
  };
  const tryIt = async () => {
    setFindings([]);
    setFindings(await api.test(community.id));
    return trans.__('Tested.');
  };
  const field = (
    name: string,
    label: string,
    value: string,
    set: (value: string) => void,
    hint: string,
    type = 'text'
  ) => (
    <div className="jp-ImageManager-field">
      <label htmlFor={`${id}-${name}`}>{label}</label>
      <input
        id={`${id}-${name}`}
        className="jp-mod-styled"
        type={type}
        value={value}
        autoComplete={type === 'password' ? 'new-password' : 'off'}
        spellCheck={false}
        aria-describedby={`${id}-${name}-hint`}
        onChange={event => set(event.target.value)}
      />
      <p className="jp-ImageManager-sub" id={`${id}-${name}-hint`}>
        {hint}
      </p>
    </div>
  );
  return (
    <form
      aria-label={community.name}
      onSubmit={event => {
        event.preventDefault();
        void attempt(save);
      }}
    >
      <h2>{community.name}</h2>
      {field(
        'host',
        trans.__('Registry'),
        host,
        setHost,
        trans.__('Host, perhaps with a port; without https://')
      )}
      {field(
        'namespace',
        trans.__('Namespace'),
        namespace,
        setNamespace,
        trans.__('The place in the registry below which images go')
      )}
      {field(
        'user',
        trans.__('User of the service agent'),
        user,
        setUser,
        trans.__('An account that may push and pull there')
      )}
      {field(
        'secret',
        trans.__('Secret of the service agent'),
        secret,
        setSecret,
        community.agent
          ? trans.__(
              'One is kept, sealed. It is never shown; type to replace it.'
            )
          : trans.__('It is kept sealed, and never shown again.'),
        'password'
      )}
      {community.agent && (
        <label className="jp-ImageManager-check">
          <input
            type="checkbox"
            checked={community.agent_enabled}
            disabled={busy}
            onChange={event => {
              const { checked } = event.target;
              void attempt(() => enable(checked));
            }}
          />
          <span>{trans.__('Use the service agent')}</span>
        </label>
      )}
      {problem && (
        <div className="jp-ImageManager-banner" data-tone="error" role="alert">
          {problem}
        </div>
      )}
      <p className="jp-ImageManager-sub" role="status">
        {said}
      </p>
      <div className="jp-ImageManager-buttons">
        <button
          type="submit"
          className="jp-ImageManager-button"
          data-kind="filled"
          disabled={busy}
        >
          {trans.__('Save')}
        </button>
        <ActionButton
          disabled={busy || !community.registry_host}
          title={trans.__('Push, pull and delete a tiny image there')}
          onClick={() => void attempt(tryIt)}
        >
          {trans.__('Test')}
        </ActionButton>
      </div>
      {findings.length > 0 && (
        <ul className="jp-ImageManager-facts">
          {findings.map((each, index) => (
            <li key={index}>
              <Mark tone={toneOfFinding(each)} />
              <span>{each.title}</span>
              <span>
                {each.message}
                {each.cure && (
                  <span className="jp-ImageManager-sub"> {each.cure}</span>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}

function toneOfFinding(finding: IFinding): 'ok' | 'warn' | 'error' | 'none' {
  switch (finding.status) {
    case 'ok':
      return 'ok';
    case 'warning':
      return 'warn';
    case 'error':
      return 'error';
    default:
      return 'none';
  }
}
