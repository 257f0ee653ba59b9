import type { ImageManagerAPI } from './api';
import type { Schema } from './rest';

/** What an action on where an image is kept would do. */
export type IStoragePreview = Schema<'StoragePreview'>;
/** An action on where an image is kept. */
export type StorageAction = IStoragePreview['action'];
/** One bringing of an image to this machine. */
export type IPull = Schema<'Pull'>;
/** A set of projects with a registry. */
export type ICommunity = Schema<'Community'>;
/** One line of a trial. */
export type IFinding = Schema<'Finding'>;
/** What images hold, and what a month of it costs. */
export type IUsageReport = Schema<'UsageReport'>;
/** What a project held in a storage on one day. */
export type IUsageDay = Schema<'UsageDay'>;
/** A rebuilding of images from their recipes. */
export type IMigration = Schema<'Migration'>;
/** One image of a migration. */
export type IMigrationItem = Schema<'MigrationItem'>;

/**
 * The routes about where images are kept, what that costs, and what becomes of old ones.
 */
export class StorageAPI {
  constructor(private readonly _api: ImageManagerAPI) {}

  /** What an action would do. */
  preview(id: string, action: StorageAction): Promise<IStoragePreview> {
    return this._api.ask('get', '/images/{id}/storage', {
      id,
      query: { action }
    });
  }

  /** Keep a copy on purpose; the pull that brings it, or null when it is there. */
  async optimize(id: string): Promise<IPull | null> {
    const answer = await this._api.ask('post', '/images/{id}/optimize', {
      id,
      body: {}
    });
    return 'layers_done' in answer ? answer : null;
  }

  /** Give the optimized copy up. */
  async unoptimize(id: string, confirm: boolean): Promise<void> {
    await this._api.ask('post', '/images/{id}/unoptimize', {
      id,
      body: { confirm }
    });
  }

  /** Delete the version in the registry. */
  async deleteOriginal(id: string): Promise<void> {
    await this._api.ask('delete', '/images/{id}/original', {
      id,
      query: { confirm: true }
    });
  }

  /** Push what is saved on this machine only; the push is a build. */
  push(id: string): Promise<Schema<'Build'>> {
    return this._api.ask('post', '/images/{id}/push', { id, body: {} });
  }

  /** The pulls for which a project waits. */
  async pulls(project_id: string): Promise<IPull[]> {
    const query = { project_id, active: true };
    return (await this._api.ask('get', '/pulls', { query })).items;
  }

  /** A pull as it is now. */
  pull(id: string): Promise<IPull> {
    return this._api.ask('get', '/pulls/{id}', { id });
  }

  /** Cancel a pull, for all who wait for it. */
  async cancelPull(id: string): Promise<void> {
    await this._api.ask('delete', '/pulls/{id}', { id });
  }

  /** The communities, the personal one first. */
  async communities(): Promise<ICommunity[]> {
    return (await this._api.ask('get', '/communities', {})).items;
  }

  /** Change a community's registry, or whether its service agent is used. */
  changeCommunity(
    id: string,
    body: Schema<'CommunityChange'>
  ): Promise<ICommunity> {
    return this._api.ask('patch', '/communities/{id}', { id, body });
  }

  /** Give the service agent; its secret is never answered. */
  setAgent(id: string, user: string, secret: string): Promise<ICommunity> {
    const body = { user, secret };
    return this._api.ask('put', '/communities/{id}/agent', { id, body });
  }

  /** Remove the service agent with its secret. */
  removeAgent(id: string): Promise<ICommunity> {
    return this._api.ask('delete', '/communities/{id}/agent', { id });
  }

  /** Push, pull and delete a tiny image. */
  async test(id: string): Promise<IFinding[]> {
    const given = { id, body: {} };
    return (await this._api.ask('post', '/communities/{id}/test', given)).items;
  }

  /** What images hold now, and what a month of it costs. */
  report(query: { project?: string; month?: string }): Promise<IUsageReport> {
    return this._api.ask('get', '/usage', { query });
  }

  /** What projects held day by day. */
  async history(query: {
    project?: string;
    days?: number;
  }): Promise<IUsageDay[]> {
    return (await this._api.ask('get', '/usage/history', { query })).items;
  }

  /** What a migration of one image would do. */
  async previewMigration(image: string): Promise<IMigrationItem | null> {
    const body = { images: [image] };
    const answer = await this._api.ask('post', '/migrations/preview', { body });
    return answer.items[0] ?? null;
  }

  /** Rebuild one image, and activate the new version wherever the old one was. */
  migrate(image: string): Promise<IMigration> {
    return this._api.ask('post', '/migrations', { body: { images: [image] } });
  }

  /** A migration as it is now. */
  migration(id: string): Promise<IMigration> {
    return this._api.ask('get', '/migrations/{id}', { id });
  }

  /** Cancel a migration with its builds. */
  async cancelMigration(id: string): Promise<void> {
    await this._api.ask('delete', '/migrations/{id}', { id });
  }

  /** Activate what was active before a migration. */
  undoMigration(id: string): Promise<IMigration> {
    return this._api.ask('post', '/migrations/{id}/undo', { id, body: {} });
  }
}
