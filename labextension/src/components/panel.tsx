import { UseSignal, ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { buildStep, buildTime, progress } from '../format';
import type { ListChoice } from '../listchoice';
import type { IBuild, IImage, IProject } from '../tokens';
import { ActiveCard } from './card';
import { useView } from './context';
import { NoImages, NoProject } from './empty';
import type { IFound } from './empty';
import { useKeptFocus } from './focus';
import { ImageList } from './images';
import { ActionButton, ImageName, Mark, ProgressBar, useNow } from './parts';
import { PullItem } from './pullitem';
import { ServerNotice } from './servernotice';
import { SystemImages } from './systemimages';
import { Usage } from './usage';

/**
 * What the panel needs besides the context of our views.
 */
export interface IPanelProps {
  /** Find what lies in a folder that an image can be made from. */
  look: (folder: string) => Promise<IFound[]>;
  listChoice: ListChoice;
}

/**
 * The whole panel.
 */
export function Panel(props: IPanelProps): JSX.Element {
  const { manager } = useView();
  return (
    <UseSignal signal={manager.stateChanged}>
      {() => <PanelBody {...props} />}
    </UseSignal>
  );
}

function PanelBody(props: IPanelProps): JSX.Element {
  const place = useKeptFocus();
  return (
    <div ref={place} tabIndex={-1}>
      <PanelContent {...props} />
    </div>
  );
}

function PanelContent(props: IPanelProps): JSX.Element {
  const { manager, trans } = useView();
  const notice = <ServerNotice manager={manager} trans={trans} />;
  if (!manager.loaded) {
    return manager.server === 'unknown' || manager.server === 'ready' ? (
      <Skeleton />
    ) : (
      notice
    );
  }
  const problems = (
    <>
      {notice}
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
        <NoProject look={props.look} />
      </>
    );
  }
  return (
    <ProjectView
      key={manager.project.id}
      project={manager.project}
      problems={problems}
      {...props}
    />
  );
}

function ProjectView(
  props: IPanelProps & {
    project: IProject;
    problems: JSX.Element;
  }
): JSX.Element {
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
                { command: CommandIDs.openUsage },
                { command: CommandIDs.openCommunities },
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
      {project.warnings.map(warning => (
        <Problem key={warning} text={warning} retry={true} tone="warn" />
      ))}
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
      {manager.pulls.length > 0 && (
        <Section
          title={trans.__('Coming to this machine')}
          count={manager.pulls.length}
        >
          {manager.pulls.map(pull => (
            <PullItem key={pull.id} pull={pull} />
          ))}
        </Section>
      )}
      {images.length > 0 ? (
        <Section title={trans.__('Project images')} count={images.length}>
          <ImageList images={images} listChoice={props.listChoice} />
        </Section>
      ) : (
        manager.builds.length === 0 && <NoImages look={props.look} />
      )}
      <SystemImages project={project} />
      {manager.usage && <Usage usage={manager.usage} />}
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
        role="status"
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

function Problem(props: {
  text: string;
  retry: boolean;
  tone?: 'error' | 'warn';
}): JSX.Element {
  const { trans, run } = useView();
  return (
    <div
      className="jp-ImageManager-banner"
      data-tone={props.tone ?? 'error'}
      role="status"
    >
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
