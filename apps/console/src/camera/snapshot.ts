// Saves the picture that is shown, at its own size.

import { fileStem } from '../format.js';

type Picture = HTMLVideoElement | HTMLCanvasElement;

/** False when there is no picture yet. */
export async function saveSnapshot(
  picture: Picture | null,
  name: string,
  atMs: number,
): Promise<boolean> {
  if (picture === null) return false;
  const isVideo = picture instanceof HTMLVideoElement;
  const width = isVideo ? picture.videoWidth : picture.width;
  const height = isVideo ? picture.videoHeight : picture.height;
  // A canvas that nothing was drawn on is 16 pixels wide.
  if (width <= 16) return false;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.drawImage(picture, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null) return false;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${fileStem(name, atMs)}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return true;
}
