import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/**
 * Where the REST API lies below the server's base URL; equal to the constant of the server part.
 */
export const API_NAMESPACE = 'image-manager/v1';

/**
 * An answer of the server that says why it refused.
 */
export class RequestError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly details: Record<string, unknown>
  ) {
    super(message);
    this.name = 'RequestError';
  }
}

/**
 * The address of a route.
 */
export function routeURL(
  route: string,
  settings: ServerConnection.ISettings,
  query: Record<string, string | number | boolean | undefined> = {}
): string {
  const given = Object.entries(query).filter(
    ([, value]) => value !== undefined
  );
  const search = new URLSearchParams(
    given.map(([key, value]) => [key, String(value)])
  ).toString();
  const url = URLExt.join(settings.baseUrl, API_NAMESPACE, route);
  return search ? `${url}?${search}` : url;
}

/**
 * Why the server part could not be asked.
 *
 * - `unreachable`: no answer, or that of a proxy in its place
 * - `signedOut`: the server does not know any more who asks
 * - `absent`: the server does not know our routes
 */
export type Fault = 'unreachable' | 'signedOut' | 'absent';

/**
 * The server part was not asked at all: neither done nor refused.
 */
export class ConnectionError extends Error {
  constructor(
    message: string,
    readonly fault: Fault
  ) {
    super(message);
    this.name = 'ConnectionError';
  }
}

/**
 * How requests are made.
 */
export interface IRequester {
  settings: ServerConnection.ISettings;
  /** The sentence of a fault. */
  sentence: (fault: Fault) => string;
}

/**
 * Call a route.
 *
 * @param url - Of {@link routeURL}.
 * @param init - Method, body.
 * @returns An answer that is a success.
 *
 * #### Notes
 * Rejects with {@link RequestError} when the server part refuses, and with {@link ConnectionError} when it could not be
 * asked.
 */
export async function request(
  url: string,
  init: RequestInit,
  { settings, sentence }: IRequester
): Promise<Response> {
  const ask = async (url: string, init: RequestInit) => {
    try {
      return await ServerConnection.makeRequest(url, init, settings);
    } catch (error) {
      throw error instanceof ServerConnection.NetworkError
        ? new ConnectionError(sentence('unreachable'), 'unreachable')
        : error;
    }
  };
  const response = await ask(url, init);
  const { status } = response;
  if (response.ok && !isPage(response)) {
    return response;
  }
  // A page is one to sign in at, to which the request was led. A 403 may also be a refusal of what this person may do.
  if (
    response.ok ||
    status === 401 ||
    (status === 403 &&
      isSignedOut(await ask(URLExt.join(settings.baseUrl, 'api/me'), {})))
  ) {
    throw new ConnectionError(sentence('signedOut'), 'signedOut');
  }
  const error = await errorOf(response);
  // What the server part says has a code; else a proxy speaks, or a server without our routes.
  if (!error.code && status === 404) {
    throw new ConnectionError(sentence('absent'), 'absent');
  }
  // 424 is JupyterHub's word for a server that does not run.
  if (!error.code && (status === 424 || status >= 502)) {
    throw new ConnectionError(sentence('unreachable'), 'unreachable');
  }
  throw error;
}

/**
 * Call a route and return its JSON; undefined where there is none.
 */
export async function requestJSON<T>(
  url: string,
  init: RequestInit,
  requester: IRequester
): Promise<T> {
  const response = await request(url, init, requester);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/**
 * Whether a person should look at the answer: the server part sends no pages.
 */
function isPage(response: Response): boolean {
  return (response.headers.get('Content-Type') ?? '').startsWith('text/html');
}

/**
 * What the answer to "who am I" says.
 */
function isSignedOut(response: Response): boolean {
  return response.ok
    ? isPage(response)
    : response.status === 401 || response.status === 403;
}

/**
 * The server's own sentence of a refusal.
 */
async function errorOf(response: Response): Promise<RequestError> {
  let body: Record<string, unknown> = {};
  try {
    const parsed: unknown = await response.json();
    if (typeof parsed === 'object' && parsed !== null) {
      body = parsed as Record<string, unknown>;
    }
  } catch {
    // Not JSON: a proxy's page.
  }
  return new RequestError(
    String(body.message || response.statusText || response.status),
    response.status,
    String(body.code ?? body.reason ?? ''),
    (body.details as Record<string, unknown> | undefined) ?? {}
  );
}

/**
 * The sentence of an error.
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Whether nothing was asked at all, also where JupyterLab itself asked.
 */
export function isLost(error: unknown): boolean {
  return (
    error instanceof ConnectionError ||
    error instanceof ServerConnection.NetworkError ||
    // A file that may not be read has a sentence of its own.
    (error instanceof ServerConnection.ResponseError &&
      [401, 403].includes(error.response.status) &&
      error.message === 'Forbidden')
  );
}

/**
 * The sentence of an error on a page; nothing where its notice about the server says it.
 */
export function refusalOf(error: unknown): string {
  return isLost(error) ? '' : messageOf(error);
}
