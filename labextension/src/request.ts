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
 * Turn an answer that is not a success into an error with the server's own sentence.
 */
export async function errorOf(response: Response): Promise<RequestError> {
  let body: Record<string, unknown> = {};
  try {
    const parsed: unknown = await response.json();
    if (typeof parsed === 'object' && parsed !== null) {
      body = parsed as Record<string, unknown>;
    }
  } catch {
    // Not JSON: a proxy's page, or a server without our routes.
  }
  return new RequestError(
    String(body.message || response.statusText || response.status),
    response.status,
    String(body.code ?? body.reason ?? ''),
    (body.details as Record<string, unknown> | undefined) ?? {}
  );
}

/**
 * Call a route and return its JSON.
 *
 * @param url - Of {@link routeURL}.
 * @param init - Method, body.
 * @param settings - Of the application's service manager.
 * @returns The parsed body; undefined where there is none.
 *
 * #### Notes
 * Rejects with {@link RequestError} when the server refuses, and with
 * `ServerConnection.NetworkError` when it cannot be reached.
 */
export async function requestJSON<T>(
  url: string,
  init: RequestInit,
  settings: ServerConnection.ISettings
): Promise<T> {
  const response = await ServerConnection.makeRequest(url, init, settings);
  if (!response.ok) {
    throw await errorOf(response);
  }
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/**
 * The sentence of an error.
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
