import type { components, paths } from './openapi';

/**
 * The verbs that routes have.
 */
export type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete';

/**
 * The routes that know a verb, as rest-api.yml names them.
 */
export type Route<V extends Verb> = {
  [P in keyof paths]: paths[P] extends Record<V, { responses: unknown }>
    ? P
    : never;
}[keyof paths];

/**
 * What a request carries: the id of its route, its query, its body, each where the route has one.
 */
export type Given<V extends Verb, P extends Route<V>> = Id<paths[P]> &
  Query<paths[P][V]> &
  Body<paths[P][V]>;

/**
 * What a route answers when all went well; undefined where that is nothing.
 */
export type Answer<V extends Verb, P extends Route<V>> = Json<
  paths[P][V] extends { responses: infer R } ? R : never
>;

/**
 * A part of the API's document by its name there.
 */
export type Schema<N extends keyof components['schemas']> =
  components['schemas'][N];

/**
 * What a request is made of, whatever its route.
 */
export interface IGiven {
  id?: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
}

type Id<P> = P extends { parameters: { path: { id: string } } }
  ? { id: string }
  : { id?: never };

type Query<O> = O extends { parameters: infer P }
  ? P extends { query: infer Q }
    ? { query: Q }
    : P extends { query?: infer Q }
      ? { query?: Q }
      : { query?: never }
  : never;

type Body<O> = O extends {
  requestBody: { content: { 'application/json': infer B } };
}
  ? { body: B }
  : O extends { requestBody?: { content: { 'application/json': infer B } } }
    ? { body?: B }
    : { body?: never };

type Json<R> = {
  [S in keyof R]: S extends 200 | 201 | 202 | 204
    ? R[S] extends { content: { 'application/json': infer C } }
      ? C
      : undefined
    : never;
}[keyof R];
