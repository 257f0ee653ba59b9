import { version } from '../package.json';

/**
 * Version of this front end; that of the server part is the same.
 */
export const VERSION: string = version;

/**
 * Whether two versions are the same, as npm and as Python write it.
 */
export function sameVersion(server: string, frontend: string): boolean {
  const normal = (version: string) =>
    version
      .toLowerCase()
      .replace(/-?(alpha|a)\.?(\d+)/, 'a$2')
      .replace(/-?(beta|b)\.?(\d+)/, 'b$2')
      .replace(/-?rc\.?(\d+)/, 'rc$1')
      .replace(/-?\.?dev\.?(\d+)/, '.dev$1');
  return normal(server) === normal(frontend);
}
