import type { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type {
  IImageDetails,
  IPackage,
  IRecipe,
  ISharedLayer
} from './imagemodel';
import type {
  IBuildRequest,
  IContextPreview,
  IEnvironment,
  ILintItem,
  IStorageChoices,
  ITemplate,
  ITemplateChoices
} from './recipe';
import { RequestError, request, requestJSON, routeURL } from './request';
import type { Fault, IRequester } from './request';
import type { Answer, Given, IGiven, Route, Schema, Verb } from './rest';
import { pause, readEvents } from './sse';
import type { IFollowOptions, LogEvent } from './sse';
import type {
  IBuild,
  IDeletionPreview,
  IImage,
  ILogLine,
  IPackageDiff,
  IProject,
  IRunSettings,
  IRunningKernel,
  IStatus,
  ISystemImage,
  IUsage
} from './tokens';

/**
 * The REST API, one method a route.
 *
 * #### Notes
 * Each route, verb, query, body and answer is held by the compiler against rest-api.yml, from which `openapi.ts` is
 * generated.
 */
export class ImageManagerAPI {
  /**
   * @param serverSettings - Of the application's service manager.
   * @param trans - For what the server cannot say itself.
   */
  constructor(
    readonly serverSettings: ServerConnection.ISettings,
    trans: TranslationBundle = nullTranslator.load('jupyter_image_manager')
  ) {
    this._requester = {
      settings: serverSettings,
      sentence: fault => {
        this._faulted.emit(fault);
        return sentenceOf(fault, trans);
      }
    };
  }

  /** Emitted when the server part could not be asked. */
  get faulted(): ISignal<this, Fault> {
    return this._faulted;
  }

  /** What the server part says about itself. */
  status(): Promise<IStatus> {
    return this._ask('get', '/status', {});
  }

  /** All projects. */
  async projects(): Promise<IProject[]> {
    return projectsIn(await this._ask('get', '/projects', {}));
  }

  /** The nearest project of a file or folder; null when there is none. */
  async projectOf(path: string): Promise<IProject | null> {
    try {
      const answer = await this._ask('get', '/projects', { query: { path } });
      return answer && 'items' in answer ? null : answer;
    } catch (error) {
      if (error instanceof RequestError && error.code === 'project_not_found') {
        return null;
      }
      throw error;
    }
  }

  /** Make a folder a project. */
  createProject(
    path: string,
    name?: string,
    nested = false
  ): Promise<IProject> {
    return this._ask('post', '/projects', { body: { path, name, nested } });
  }

  /** Change how a project's kernels run; what is not named stays. */
  setRunSettings(
    projectId: string,
    changes: Partial<IRunSettings>
  ): Promise<IProject> {
    return this._ask('patch', '/projects/{id}', {
      id: projectId,
      body: { run_settings: changes }
    });
  }

  /** All images of a project, newest first. */
  async images(projectId: string): Promise<IImage[]> {
    const images: IImage[] = [];
    let after: string | undefined;
    do {
      const page: Answer<'get', '/projects/{id}/images'> = await this._ask(
        'get',
        '/projects/{id}/images',
        { id: projectId, query: { after, limit: 200 } }
      );
      images.push(...page.items);
      after = page.next ?? undefined;
    } while (after);
    return images;
  }

  /** One image, with its report. */
  image(id: string): Promise<IImageDetails> {
    return this._ask('get', '/images/{id}', { id });
  }

  /** Let a project's kernels run in an image; null: in the server environment. */
  async activate(projectId: string, imageId: string | null): Promise<IProject> {
    if (imageId === null) {
      return this._ask('delete', '/projects/{id}/active-image', {
        id: projectId
      });
    }
    const answer = await this._ask('put', '/projects/{id}/active-image', {
      id: projectId,
      body: { image_id: imageId }
    });
    return 'image_id' in answer ? this._afterCheck(answer) : answer;
  }

  /** What deleting an image would do. */
  deletion(imageId: string): Promise<IDeletionPreview> {
    return this._ask('get', '/images/{id}/deletion', { id: imageId });
  }

  /** Delete an image, as confirmed by a person who saw the preview. */
  deleteImage(imageId: string): Promise<void> {
    const query = { confirm: true };
    return this._ask('delete', '/images/{id}', { id: imageId, query });
  }

  /** Check an image once more; the answer is a build of kind `check`, with a log as others have. */
  check(imageId: string): Promise<IBuild> {
    return this._ask('post', '/images/{id}/check', { id: imageId });
  }

  /** Append what an image lacks and build the next version. */
  fix(imageId: string): Promise<IBuild> {
    return this._ask('post', '/images/{id}/fix', { id: imageId });
  }

  /** What an image is built from. */
  recipe(imageId: string): Promise<IRecipe> {
    return this._ask('get', '/images/{id}/recipe', { id: imageId });
  }

  /** The Python packages in an image. */
  async packages(imageId: string): Promise<IPackage[]> {
    return (await this._ask('get', '/images/{id}/packages', { id: imageId }))
      .items;
  }

  /** An image's layers, oldest first, each with the images of its project that have it too. */
  async layers(imageId: string): Promise<ISharedLayer[]> {
    return (await this._ask('get', '/images/{id}/layers', { id: imageId }))
      .items;
  }

  /** Compare the packages of two images; either may be the server environment. */
  diff(imageId: string, otherId: string): Promise<IPackageDiff> {
    const query = { with: otherId };
    return this._ask('get', '/images/{id}/diff', { id: imageId, query });
  }

  /** Where images of a project can be kept. */
  storageChoices(projectId: string): Promise<IStorageChoices> {
    return this._ask('get', '/projects/{id}/storage', { id: projectId });
  }

  /** Submit a build. */
  build(projectId: string, request: IBuildRequest): Promise<IBuild> {
    return this._ask('post', '/projects/{id}/builds', {
      id: projectId,
      body: request
    });
  }

  /** Builds of a project, newest first. */
  async builds(projectId: string, active?: boolean): Promise<IBuild[]> {
    return (
      await this._ask('get', '/projects/{id}/builds', {
        id: projectId,
        query: { active }
      })
    ).items;
  }

  /** One build. */
  getBuild(id: string): Promise<IBuild> {
    return this._ask('get', '/builds/{id}', { id });
  }

  /** Cancel a build. */
  cancel(id: string): Promise<IBuild> {
    return this._ask('delete', '/builds/{id}', { id });
  }

  /** Run a finished build again. */
  retry(id: string): Promise<IBuild> {
    return this._ask('post', '/builds/{id}/retry', { id });
  }

  /** The address of a build's whole log as text. */
  logURL(buildId: string): string {
    return routeURL(`builds/${buildId}/log`, this.serverSettings);
  }

  /** What would be sent as context. */
  context(projectId: string, path?: string): Promise<IContextPreview> {
    return this._ask('get', '/projects/{id}/context', {
      id: projectId,
      query: { path }
    });
  }

  /** Leave a file out of the context, or take that back; the answer is what would be sent now. */
  ignore(
    projectId: string,
    file: { file: string; ignored: boolean; path?: string }
  ): Promise<IContextPreview> {
    return this._ask('patch', '/projects/{id}/context', {
      id: projectId,
      body: file
    });
  }

  /** Ready-made Dockerfiles. */
  async templates(): Promise<ITemplate[]> {
    return (await this._ask('get', '/templates', {})).items;
  }

  /** The Dockerfile that a template's choices give. */
  async renderTemplate(choices: ITemplateChoices): Promise<string> {
    return (await this._ask('post', '/templates/render', { body: choices }))
      .dockerfile;
  }

  /** The choices that give exactly this Dockerfile; null when it is no template's. */
  async parseTemplate(dockerfile: string): Promise<ITemplateChoices | null> {
    const body = { dockerfile };
    return (await this._ask('post', '/templates/parse', { body })).choices;
  }

  /** Versions that the index of builds has of a package, newest first. */
  async packageVersions(name: string, python: string): Promise<string[]> {
    const query = { name, python };
    return (await this._ask('get', '/package-versions', { query })).items;
  }

  /** What of a conda environment.yml a template can take over. */
  environment(text: string): Promise<IEnvironment> {
    return this._ask('post', '/templates/environment', { body: { text } });
  }

  /** Remarks about a Dockerfile. */
  async lint(projectId: string, dockerfile: string): Promise<ILintItem[]> {
    const body = { project_id: projectId, dockerfile };
    return (await this._ask('post', '/lint', { body })).items;
  }

  /** Images that every project sees; first the server environment. */
  async systemImages(): Promise<ISystemImage[]> {
    return (await this._ask('get', '/system-images', {})).items;
  }

  /** What a project's images take, its quotas, and what is free on the engine's disk. */
  usage(projectId: string): Promise<IUsage> {
    return this._ask('get', '/projects/{id}/usage', { id: projectId });
  }

  /** How far the changes have come. */
  async lastChange(): Promise<number> {
    return (await this._ask('get', '/last-change', {})).sequence;
  }

  /** All kernels that run in images. */
  async kernels(): Promise<IRunningKernel[]> {
    return (await this._ask('get', '/kernels', {})).items;
  }

  /**
   * Follow a build's log to its end, over lost connections.
   *
   * #### Notes
   * Each line comes once and in order: the number of the last one is sent on reconnection, and lines that are known are
   * dropped. A lost stream is not a failed build: it is told by `lost` and `resumed`. Rejects only when the server
   * part refuses (a 4xx).
   */
  async *followLog(
    buildId: string,
    options: IFollowOptions
  ): AsyncGenerator<LogEvent, void, undefined> {
    let last = options.after ?? 0;
    const first = options.retryDelay ?? 500;
    let delay = first;
    let lost = false;
    while (!options.signal.aborted) {
      try {
        const response = await request(
          routeURL(`builds/${buildId}/log`, this.serverSettings, {
            after: last
          }),
          {
            headers: { Accept: 'text/event-stream' },
            signal: options.signal
          },
          this._requester
        );
        if (lost) {
          lost = false;
          yield { kind: 'resumed' };
        }
        for await (const events of readEvents(response, options.signal)) {
          delay = first;
          let lines: ILogLine[] = [];
          for (const { event, data } of events) {
            if (event === 'line') {
              const line: ILogLine = JSON.parse(data) as Schema<'LogLine'>;
              if (line.number > last) {
                last = line.number;
                lines.push(line);
              }
              continue;
            }
            if (event !== 'build' && event !== 'end') {
              continue;
            }
            if (lines.length) {
              yield { kind: 'lines', lines };
              lines = [];
            }
            const build: IBuild = JSON.parse(data) as Schema<'Build'>;
            yield { kind: event, build };
            if (event === 'end') {
              return;
            }
          }
          if (lines.length) {
            yield { kind: 'lines', lines };
          }
        }
      } catch (error) {
        if (options.signal.aborted) {
          return;
        }
        if (error instanceof RequestError && error.status < 500) {
          throw error;
        }
      }
      if (options.signal.aborted) {
        return;
      }
      if (!lost) {
        lost = true;
        yield { kind: 'lost' };
      }
      await pause(delay, options.signal);
      delay = Math.min(delay * 2, first * 16);
    }
  }

  /** The project once the check has ended that activates an image which is new here. */
  private async _afterCheck(check: IBuild): Promise<IProject> {
    const { signal } = new AbortController();
    for await (const event of this.followLog(check.id, { signal })) {
      if (event.kind === 'end' && event.build.state !== 'succeeded') {
        throw new RequestError(
          event.build.failure?.message ?? event.build.state,
          409,
          event.build.failure?.code ?? '',
          { build_id: check.id }
        );
      }
    }
    return this._ask('get', '/projects/{id}', { id: check.project_id });
  }

  /** Ask a route that has no method here. */
  ask<V extends Verb, P extends Route<V>>(
    verb: V,
    route: P,
    given: Given<V, P>
  ): Promise<Answer<V, P>> {
    return this._ask(verb, route, given);
  }

  private _ask<V extends Verb, P extends Route<V>>(
    verb: V,
    route: P,
    given: Given<V, P>
  ): Promise<Answer<V, P>> {
    const { id, query, body }: IGiven = given;
    const init: RequestInit = { method: verb.toUpperCase() };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
    }
    return requestJSON<Answer<V, P>>(
      routeURL(route.replace('{id}', id ?? ''), this.serverSettings, query),
      init,
      this._requester
    );
  }

  private _requester: IRequester;
  private _faulted = new Signal<this, Fault>(this);
}

/**
 * What is said where the server cannot.
 */
function sentenceOf(fault: Fault, trans: TranslationBundle): string {
  switch (fault) {
    case 'unreachable':
      return trans.__('The server does not answer.');
    case 'signedOut':
      return trans.__('You are signed out.');
    case 'absent':
      return trans.__('The server lacks its part of the image manager.');
  }
}

function projectsIn(answer: Answer<'get', '/projects'>): IProject[] {
  return answer && 'items' in answer ? answer.items : [];
}
