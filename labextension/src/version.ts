import { version } from '../package.json';

/**
 * Version of this front end; that of the server part is the same.
 */
export const VERSION: string = version;
