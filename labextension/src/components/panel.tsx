import { UseSignal, ellipsesIcon } from '@jupyterlab/ui-components';
import { PathExt } from '@jupyterlab/coreutils';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { buildStep, buildTime, progress } from '../format';
import { imageIcon } from '../icons';
import type { IBuild, IImage, IProject } from '../tokens';
import { useView } from './context';
import { actionsOf, factOf, toneOf } from './facts';
import { ImageList } from './images';
import {
  ActionButton,
  Chip,
  ImageName,
  Mark,
  ProgressBar,
  useNow
} from './parts';

/**
 * What the file browser's folder holds that an image can be built from.
 */
export interface IFound {
  name: string;
  kind: 'dockerfile' | 'requirements';
}

/**
 * The whole panel.
 */
export function Panel(props: {
  look: (folder: string) => Promise<IFound[]>;
}): JSX.Element {
  const { manager } = useView();
  return (
    <UseSignal signal={manager.stateChanged}>
      {() => <PanelBody look={props.look} />}
    </UseSignal>
  );
}

function PanelBody({
  look
}: {
  look: (folder: string) => Promise<IFound[]>;
}): JSX.Element {
  const { manager, trans } = useView();
  if (!manager.loaded) {
    return manager.server === 'unreachable' ? (
      <Problem text={manager.error} retry={true} />
    ) : (
      <Skeleton />
    );
  }
  const problems = (
    <>
      {manager.engineProblem && (
        <Problem text={manager.engineProblem} retry={true} />
      )}
      {manager.error && (
        <Problem
          text={trans.__('Not up to date: %1', manager.error)}
          retry={true}
        />
      )}
    </>
  );
  if (!manager.project) {
    return (
      <>
        {problems}
        <NoProject look={look} />
      </>
    );
  }
  return (
    <ProjectView
      key={manager.project.id}
      project={manager.project}
      problems={problems}
      look={look}
    />
  );
}

function ProjectView(props: {
  project: IProject;
  problems: JSX.Element;
  look: (folder: string) => Promise<IFound[]>;
}): JSX.Element {
  const { manager, trans, run, openMenu } = useView();
  const { project } = props;
  const building = new Set(manager.builds.map(build => build.image_id));
  const images = manager.images.filter(image => !building.has(image.id));
  return (
    <>
      <div className="jp-ImageManager-project">
        <div>
          <h2 className="jp-ImageManager-cut" title={project.path}>
            {project.name}
          </h2>
          <div
            className="jp-ImageManager-sub jp-ImageManager-cut"
            title={project.path}
          >
            {project.jupyter_path
              ? `/${project.jupyter_path}`
              : trans.__('The server’s root folder')}
          </div>
        </div>
        <ActionButton
          kind={images.length || manager.builds.length ? 'filled' : 'plain'}
          onClick={() => run(CommandIDs.newImage)}
        >
          {trans.__('New image')}
        </ActionButton>
        <button
          type="button"
          className="jp-ImageManager-more"
          title={trans.__('More')}
          aria-label={trans.__('More about the project %1', project.name)}
          aria-haspopup="menu"
          onClick={event =>
            openMenu(
              [
                { command: CommandIDs.deactivate },
                { command: CommandIDs.restartKernels },
                ...(manager.folder !== project.jupyter_path
                  ? [
                      {
                        command: CommandIDs.createProject,
                        args: { path: manager.folder }
                      }
                    ]
                  : []),
                { command: CommandIDs.refresh }
              ],
              event.currentTarget
            )
          }
        >
          <ellipsesIcon.react tag="span" width="16px" height="16px" />
        </button>
      </div>
      {props.problems}
      <ActiveCard project={project} />
      {manager.builds.length > 0 && (
        <Section title={trans.__('Building')} count={manager.builds.length}>
          {manager.builds.map(build => (
            <BuildItem
              key={build.id}
              build={build}
              image={manager.image(build.image_id)}
            />
          ))}
        </Section>
      )}
      {images.length > 0 ? (
        <Section title={trans.__('Project images')} count={images.length}>
          <ImageList images={images} />
        </Section>
      ) : (
        manager.builds.length === 0 && <NoImages look={props.look} />
      )}
      {project.active_image_id !== null && <ServerEnvironment />}
    </>
  );
}

function Section(props: {
  title: string;
  count: number;
  children: React.ReactNode;
}): JSX.Element {
  return (
    <section className="jp-ImageManager-section" aria-label={props.title}>
      <h3>
        {props.title}{' '}
        <span className="jp-ImageManager-count">{props.count}</span>
      </h3>
      {props.children}
    </section>
  );
}

/**
 * The answer to "which environment am I in?".
 */
function ActiveCard({ project }: { project: IProject }): JSX.Element {
  const { manager, trans, run, openMenu } = useView();
  const kernels = manager.projectKernels;
  const stale = kernels.filter(kernel => kernel.stale);
  const current = kernels.length - stale.length;
  const image = project.active_image;
  const inImages = new Set(
    stale.map(kernel => kernel.image ?? trans.__('the server environment'))
  );
  return (
    <section
      className="jp-ImageManager-card"
      data-tone={image ? toneOf(image) : 'none'}
      aria-label={trans.__('Active image')}
    >
      <div className="jp-ImageManager-rowTitle">
        <Mark tone={image ? toneOf(image) : 'none'} />
        {image ? (
          <ImageName name={image.name} version={image.version} />
        ) : (
          <span className="jp-ImageManager-name">
            {trans.__('Server environment')}
          </span>
        )}
        <Chip
          tone={
            image ? (toneOf(image) === 'ok' ? 'ok' : toneOf(image)) : 'none'
          }
        >
          {image && image.state !== 'ready'
            ? trans.__('Cannot start')
            : trans.__('Active')}
        </Chip>
        {image && (
          <button
            type="button"
            className="jp-ImageManager-more"
            title={trans.__('More')}
            aria-label={trans.__('More about %1', image.spec)}
            aria-haspopup="menu"
            onClick={event =>
              openMenu(actionsOf(image, trans).menu, event.currentTarget)
            }
          >
            <ellipsesIcon.react tag="span" width="16px" height="16px" />
          </button>
        )}
      </div>
      <div className="jp-ImageManager-sub">
        {image
          ? factOf(image, manager.lastBuild(image), trans)
          : trans.__('Kernels here run in the server’s own Python.')}
      </div>
      {(current > 0 || stale.length > 0) && (
        <div className="jp-ImageManager-cardLine">
          {(current > 0 || image) && (
            <span className="jp-ImageManager-sub">
              {current > 0
                ? trans._n(
                    '%1 kernel runs in it',
                    '%1 kernels run in it',
                    current
                  )
                : trans.__('No kernel runs in it yet')}
            </span>
          )}
          {stale.length > 0 && (
            <span className="jp-ImageManager-cardLine">
              <Chip tone="warn">
                {inImages.size === 1
                  ? trans.__('%1 still in %2', stale.length, [...inImages][0])
                  : trans.__('%1 still elsewhere', stale.length)}
              </Chip>
              <ActionButton
                kind="link"
                onClick={() => run(CommandIDs.restartKernels)}
              >
                {trans.__('Restart…')}
              </ActionButton>
            </span>
          )}
        </div>
      )}
    </section>
  );
}

/**
 * The first of the system images: the way back.
 */
function ServerEnvironment(): JSX.Element {
  const { trans, run } = useView();
  const title = trans.__('System images');
  return (
    <section className="jp-ImageManager-section" aria-label={title}>
      <h3>{title}</h3>
      <div className="jp-ImageManager-row" data-static="">
        <div className="jp-ImageManager-rowTitle">
          <Mark tone="none" />
          <span className="jp-ImageManager-name">
            {trans.__('Server environment')}
          </span>
        </div>
        <div className="jp-ImageManager-rowActions">
          <ActionButton
            label={trans.__('Activate the server environment')}
            onClick={() => run(CommandIDs.deactivate)}
          >
            {trans.__('Activate')}
          </ActionButton>
        </div>
        <div className="jp-ImageManager-rowFacts">
          <div className="jp-ImageManager-sub">
            {trans.__('No image: kernels run in the server’s own Python')}
          </div>
        </div>
      </div>
    </section>
  );
}

function BuildItem({
  build,
  image
}: {
  build: IBuild;
  image?: IImage;
}): JSX.Element {
  const { trans, run } = useView();
  const now = useNow(true);
  const name = image?.spec ?? trans.__('an image');
  const time = buildTime(build, trans, now);
  const step = buildStep(build, trans);
  return (
    <div
      className="jp-ImageManager-build"
      role="group"
      aria-label={trans.__('Build of %1', name)}
    >
      <div className="jp-ImageManager-rowTitle">
        <Mark tone="busy" />
        {image ? (
          <ImageName name={image.name} version={image.version} />
        ) : (
          <span className="jp-ImageManager-name">{name}</span>
        )}
        <span className="jp-ImageManager-sub jp-ImageManager-clock">
          {time}
        </span>
      </div>
      <ProgressBar
        value={progress(build, now)}
        label={trans.__('Progress of %1', name)}
      />
      <div
        className="jp-ImageManager-sub jp-ImageManager-fact"
        title={build.instruction}
      >
        {build.state === 'building' && build.instruction
          ? `${step} · ${build.instruction}`
          : step}
      </div>
      <div className="jp-ImageManager-buttons">
        <ActionButton
          label={trans.__('Log of %1', name)}
          onClick={() => run(CommandIDs.openLog, { build_id: build.id })}
        >
          {trans.__('Log')}
        </ActionButton>
        <ActionButton
          label={trans.__('Cancel the build of %1', name)}
          disabled={build.cancel_requested}
          onClick={() => run(CommandIDs.cancelBuild, { build_id: build.id })}
        >
          {trans.__('Cancel')}
        </ActionButton>
        {build.activate && (
          <span className="jp-ImageManager-sub">{trans.__('then active')}</span>
        )}
      </div>
    </div>
  );
}

function NoProject({
  look
}: {
  look: (folder: string) => Promise<IFound[]>;
}): JSX.Element {
  const { manager, trans, run } = useView();
  const name = PathExt.basename(manager.folder) || trans.__('Home');
  return (
    <div className="jp-ImageManager-empty">
      <imageIcon.react tag="span" width="36px" height="36px" />
      <h2>{trans.__('This folder has no environment of its own')}</h2>
      <p>
        {trans.__(
          'Notebooks here run in the server’s Python. Make the folder a project, and they run in an image with exactly the libraries that you choose. Your files stay where they are.'
        )}
      </p>
      <ActionButton
        kind="filled"
        onClick={() => run(CommandIDs.createProject, { path: manager.folder })}
      >
        <span className="jp-ImageManager-cut">
          {trans.__('Make “%1” a project', name)}
        </span>
      </ActionButton>
      <Found folder={manager.folder} look={look} />
    </div>
  );
}

function NoImages({
  look
}: {
  look: (folder: string) => Promise<IFound[]>;
}): JSX.Element {
  const { manager, trans, run } = useView();
  return (
    <div className="jp-ImageManager-empty">
      <h2>{trans.__('No image yet')}</h2>
      <p>
        {trans.__(
          'Describe the libraries you need, or take a Dockerfile. Building changes nothing: notebooks go on as they are until you activate the image.'
        )}
      </p>
      <ActionButton kind="filled" onClick={() => run(CommandIDs.newImage)}>
        {trans.__('Build the first image')}
      </ActionButton>
      <Found
        folder={manager.project?.jupyter_path ?? manager.folder}
        look={look}
      />
    </div>
  );
}

function Found(props: {
  folder: string;
  look: (folder: string) => Promise<IFound[]>;
}): JSX.Element | null {
  const { trans, run } = useView();
  const { folder, look } = props;
  const [found, setFound] = React.useState<IFound[]>([]);
  React.useEffect(() => {
    let current = true;
    setFound([]);
    look(folder).then(
      files => {
        if (current) {
          setFound(files);
        }
      },
      () => undefined // a folder that cannot be listed has nothing to offer
    );
    return () => {
      current = false;
    };
  }, [folder, look]);
  if (!found.length) {
    return null;
  }
  return (
    <div className="jp-ImageManager-found">
      <p>{trans.__('Found in this folder')}</p>
      {found.map(file => (
        <div key={file.name} className="jp-ImageManager-foundItem">
          <b>{file.name}</b>
          <ActionButton
            kind="link"
            onClick={() =>
              run(CommandIDs.newImage, {
                source: file.kind === 'dockerfile' ? 'dockerfile' : 'template'
              })
            }
          >
            {trans.__('Build an image from it')}
          </ActionButton>
        </div>
      ))}
    </div>
  );
}

function Problem(props: { text: string; retry: boolean }): JSX.Element {
  const { trans, run } = useView();
  return (
    <div className="jp-ImageManager-banner" data-tone="error" role="status">
      <span>{props.text}</span>
      {props.retry && (
        <ActionButton kind="link" onClick={() => run(CommandIDs.refresh)}>
          {trans.__('Try again')}
        </ActionButton>
      )}
    </div>
  );
}

function Skeleton(): JSX.Element {
  const { trans } = useView();
  return (
    <div
      className="jp-ImageManager-skeleton"
      role="status"
      aria-label={trans.__('Looking for images')}
    >
      <div data-size="title" />
      <div data-size="card" />
      <div data-size="row" />
      <div data-size="row" />
    </div>
  );
}
