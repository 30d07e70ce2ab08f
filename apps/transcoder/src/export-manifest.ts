// What goes into an export beside the video: the signed manifest, and how a person checks it.

import type { ExportJobData } from '#jobs';
import type { ExportKey } from './export-key.js';
import type { ClipGap } from './recorder-door.js';

export const MANIFEST = 'manifest.json';
export const SIGNATURE = 'manifest.sig';
export const PUBLIC_KEY = 'public-key.pem';
export const INSTRUCTIONS = 'VERIFY.txt';

/** One camera's video in the archive. */
export interface ExportedFile {
  readonly camera: string;
  readonly name: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** What is missing in the period. */
  readonly gaps: readonly ClipGap[];
}

export interface ManifestFacts {
  readonly id: string;
  readonly data: ExportJobData;
  readonly madeAtUnixMs: number;
  readonly files: readonly ExportedFile[];
  readonly withoutFootage: readonly { readonly id: string; readonly name: string }[];
  readonly key: ExportKey;
}

export function writeManifest(facts: ManifestFacts): Buffer {
  const { id, data, files, withoutFootage, key } = facts;
  const manifest = {
    format: 'nightjar-export',
    version: 1,
    id,
    from: iso(data.fromUnixMs),
    to: iso(data.toUnixMs),
    rendition: data.rendition,
    // What was asked for is said, and that the pictures do not bear it.
    ...(data.watermark === undefined
      ? {}
      : { watermark: { text: data.watermark, inPictures: false } }),
    note: data.note,
    requestedBy: data.createdBy,
    requestedAt: iso(data.createdAtUnixMs),
    madeAt: iso(facts.madeAtUnixMs),
    video:
      data.rendition === 'source'
        ? 'as the camera sent it: not decoded, not encoded again'
        : `decoded and encoded again at ${data.rendition}`,
    files,
    withoutFootage,
    signature: {
      algorithm: 'Ed25519',
      file: SIGNATURE,
      publicKey: PUBLIC_KEY,
      publicKeySha256: key.fingerprint,
    },
  };
  return Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** Every line that begins with four blanks is a command; a test runs them. */
export function writeInstructions(files: readonly ExportedFile[], key: ExportKey): Buffer {
  return Buffer.from(`How to check that this export is what Nightjar wrote, and whole
================================================================

You need OpenSSL 3, which Linux and macOS bring or offer, and a terminal in the folder that you
unpacked this archive into. On Windows, use Git Bash or the Linux subsystem.

1. The manifest is signed. This prints "Signature Verified Successfully":

    openssl pkeyutl -verify -pubin -inkey ${PUBLIC_KEY} -rawin -in ${MANIFEST} -sigfile ${SIGNATURE}

2. The manifest names every video and its SHA-256. Each of these prints "OK":

${files.map(({ file }) => `    ${checkOf(file)}`).join('\n')}

3. The key is the installation's. Whoever runs the installation can tell you its fingerprint; this
   prints the one that came with the archive:

    openssl pkey -pubin -in ${PUBLIC_KEY} -outform DER | openssl dgst -sha256

   It should be ${key.fingerprint}.
   A key that came in the same archive proves nothing by itself: compare it with what you were told.

A video that was changed, cut or replaced fails step 2; a manifest that was changed fails step 1.
`);
}

function checkOf(file: string): string {
  return `grep -q "$(openssl dgst -sha256 -r "${file}" | cut -c 1-64)" ${MANIFEST} && echo OK`;
}

/**
 * A name for a camera's video that every system and shell takes: letters, digits, blanks, dashes, dots
 * and underscores. `taken` holds the names that are used already, and gets this one.
 */
export function fileNameOf(camera: string, fromUnixMs: number, taken: Set<string>): string {
  const safe = camera
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9 ._-]+/g, '_')
    .replace(/^[ .-]+/, '')
    .slice(0, 80)
    .trim();
  const stem = `${safe === '' ? 'camera' : safe} ${iso(fromUnixMs).slice(0, 19).replaceAll(':', '-')}Z`;
  let name = `${stem}.mp4`;
  for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${stem} ${count}.mp4`;
  taken.add(name.toLowerCase());
  return name;
}

function iso(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
