// Finds what the contract says of a route; a route that it does not name is served to nobody.

import { ROUTES, type Role, type Route } from '#contract';

const BY_KEY = new Map<string, Route>(
  ROUTES.map((route: Route) => [`${route.method} ${route.path}`, route]),
);

/** By method and path pattern (`/api/cameras/:id`). HEAD is served wherever GET is. */
export function findRoute(method: string, pattern: string): Route | undefined {
  return BY_KEY.get(`${method === 'HEAD' ? 'GET' : method} ${pattern}`);
}

export interface SocketMatch {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** By the path of a WebSocket request. */
export function matchSocket(path: string): SocketMatch | undefined {
  const given = path.split('/');
  for (const route of BY_KEY.values()) {
    if (route.method !== 'WS') continue;
    const wanted = route.path.split('/');
    if (wanted.length !== given.length) continue;
    const parameters: Record<string, string> = {};
    const fits = wanted.every((part, index) => {
      const found = given[index] ?? '';
      if (!part.startsWith(':')) return part === found;
      parameters[part.slice(1)] = found;
      return found !== '';
    });
    if (fits) return { route, parameters };
  }
  return undefined;
}

const RANK: Readonly<Record<Role, number>> = { viewer: 1, operator: 2, admin: 3 };

export function mayEnter(role: Role, route: Route): boolean {
  return route.role === 'public' || isAtLeast(role, route.role);
}

export function isAtLeast(role: Role, least: Role): boolean {
  return RANK[role] >= RANK[least];
}
