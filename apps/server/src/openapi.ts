// OpenAPI 3.1, made from the contract's route table and nothing else.

import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { problemSchema, ROUTES, type Route } from '#contract';
import { SESSION_COOKIE } from './gatekeeper.js';

type Json = Record<string, unknown>;

export function openApiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const route of ROUTES as readonly Route[]) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    const method = route.method === 'WS' ? 'get' : route.method.toLowerCase();
    paths[path] = { ...paths[path], [method]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Nightjar',
      version: '1',
      description:
        'Times in requests are ISO 8601 or Unix milliseconds, in answers ISO 8601 UTC. ' +
        'Errors are problem details (RFC 9457) with a code of a closed set.',
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: SESSION_COOKIE,
          description:
            'Writing requests also need X-CSRF-Token, which sign-in and /api/auth/me give.',
        },
      },
      schemas: { Problem: schemaOf(problemSchema, 'output') },
    },
  };
}

function operationOf(route: Route): Json {
  const parameters = [
    ...[...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...queryParameters(route),
  ];
  const sessions = [{ token: [] }, { cookie: [] }];
  const without = route.moreFor === undefined ? [] : [{}, ...sessions];
  return {
    operationId: operationIdOf(route),
    summary: route.summary,
    tags: [tagOf(route)],
    'x-role': route.role,
    ...(route.method === 'WS' ? { 'x-websocket': true } : {}),
    security: route.role === 'public' ? without : sessions,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
          },
        }),
    responses: { ...answerOf(route), default: PROBLEM },
  };
}

const PROBLEM: Json = {
  description: 'What went wrong.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

function answerOf(route: Route): Json {
  const status = route.method === 'WS' ? 101 : (route.status ?? 200);
  const content =
    route.answer !== undefined
      ? { 'application/json': { schema: schemaOf(route.answer, 'output') } }
      : route.mediaType !== undefined
        ? { [route.mediaType]: {} }
        : undefined;
  const description = STATUS_CODES[status] ?? 'Done';
  return { [status]: { description, ...(content === undefined ? {} : { content }) } };
}

function queryParameters(route: Route): Json[] {
  if (route.query === undefined) return [];
  const schema = schemaOf(route.query, 'input');
  const required = new Set((schema['required'] as string[] | undefined) ?? []);
  const properties = (schema['properties'] as Record<string, Json> | undefined) ?? {};
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.has(name),
    schema: property,
  }));
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const json = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  // The document says once, at its top, which dialect its schemas are of.
  delete json['$schema'];
  return json;
}

/** `get /api/cameras/:id/status` is `getCamerasByIdStatus`. */
function operationIdOf(route: Route): string {
  const words = route.path
    .replace(/^\/api\//, '/')
    .split('/')
    .flatMap((part) => (part.startsWith(':') ? ['by', part.slice(1)] : part.split(/[^a-zA-Z0-9]+/)))
    .filter((word) => word !== '');
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  return (
    (route.method === 'WS' ? 'open' : route.method.toLowerCase()) + words.map(capital).join('')
  );
}

function tagOf(route: Route): string {
  const [, first = '', second] = route.path.split('/');
  return first === 'api' ? (second ?? '').replace(/\..*$/, '') : 'operations';
}
