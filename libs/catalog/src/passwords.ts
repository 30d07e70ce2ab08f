// Password hashes: argon2id with OWASP's parameters, at the same cost whether or not a user exists.

import { hash, verify } from '@node-rs/argon2';

const OPTIONS = {
  // Argon2id; the package's enum is a `const enum`, which isolated modules cannot read.
  algorithm: 2,
  memoryCost: 19 * 1024,
  timeCost: 2,
  parallelism: 1,
} as const;

export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFKC'), OPTIONS);
}

/** A hash of nothing anybody knows: compared with when there is no such user. */
let decoy: Promise<string> | undefined;

/** False for a wrong password and, after as much work, for a missing `passwordHash`. */
export async function verifyPassword(
  passwordHash: string | undefined,
  password: string,
): Promise<boolean> {
  decoy ??= hashPassword(crypto.randomUUID());
  const matches = await verify(passwordHash ?? (await decoy), password.normalize('NFKC'));
  return matches && passwordHash !== undefined;
}
