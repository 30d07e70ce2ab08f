// The session, and what its role may do, for components.

import type { Role } from '#contract';
import { useSignal } from '../use-signal.js';
import { mayUse, type Method, type PathOf } from './paths.js';
import { sessionSignal } from './session.js';

export const useSession = () => useSignal(sessionSignal);

/** `may('POST', '/api/cameras')`: whether the signed-in person may. */
export function useMay(): <M extends Method>(method: M, path: PathOf<M>) => boolean {
  const role: Role | undefined = useSession().me?.user.role;
  return (method, path) => mayUse(role, method, path);
}
