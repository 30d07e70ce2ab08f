// Paths of the public door, checked against the contract's route table by the compiler.

import { ROUTES, type Role } from '#contract';

type AnyRoute = (typeof ROUTES)[number];
export type Method = AnyRoute['method'];
export type PathOf<M extends Method> = Extract<AnyRoute, { method: M }>['path'];
export type QueryValue = string | number | boolean | undefined;

/** `/api/cameras/:id` with `{id}` and a query; `undefined` values are left out. */
export function fillPath(
  path: string,
  params: Readonly<Record<string, string>> = {},
  query: Readonly<Record<string, QueryValue>> = {},
): string {
  const filled = path.replace(/:([a-z]+)/gi, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`path ${path} lacks ${name}`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? filled : `${filled}?${text}`;
}

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether a role may use a route: what it may not, the console does not show. */
export function mayUse<M extends Method>(
  role: Role | undefined,
  method: M,
  path: PathOf<M>,
): boolean {
  const route = ROUTES.find((row) => row.method === method && row.path === path);
  if (route === undefined || role === undefined) return false;
  return route.role === 'public' || RANK[role] >= RANK[route.role];
}
