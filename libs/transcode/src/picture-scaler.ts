// Brings decoded pictures to one size, pixel layout and colour range, whatever they come as.

import { AVCOL_SPC_BT709, AVCOL_SPC_SMPTE170M, AVCOL_SPC_UNSPECIFIED } from 'node-av/constants';
import type { AVColorRange, AVColorSpace, AVPixelFormat } from 'node-av/constants';
import { Frame, SoftwareScaleContext } from 'node-av/lib';
import { checked } from './native.js';
import type { PictureSize } from './picture-size.js';

export interface PictureTarget {
  readonly size: PictureSize;
  readonly pixelFormat: AVPixelFormat;
  readonly colorRange: AVColorRange;
  readonly colorSpace: AVColorSpace;
}

/** Lines from which pictures that do not say so are taken for BT.709, as players do. */
const HIGH_DEFINITION_LINES = 720;

/** The colour matrix that a picture of so many lines has when it names none. */
export function usualColorSpace(lines: number): AVColorSpace {
  return lines >= HIGH_DEFINITION_LINES ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

/** Owns native memory: whoever makes one closes it, after its last call has come back. */
export class PictureScaler {
  readonly #target: PictureTarget;
  readonly #context = new SoftwareScaleContext();

  constructor(target: PictureTarget) {
    this.#target = target;
    // A context without a source format follows each picture's own: sizes and layouts may change.
    this.#context.allocContext();
    checked(this.#context.setOption('sws_flags', 'area'), 'setting up the scaler');
  }

  /** A new picture, which the caller frees; `source` stays the caller's. */
  async scale(source: Frame): Promise<Frame> {
    const { size, pixelFormat, colorRange, colorSpace } = this.#target;
    if (source.colorSpace === AVCOL_SPC_UNSPECIFIED) {
      source.colorSpace = usualColorSpace(source.height);
    }
    const picture = new Frame();
    picture.alloc();
    try {
      picture.width = size.width;
      picture.height = size.height;
      picture.format = pixelFormat;
      checked(picture.getBuffer(), 'allocating a picture');
      picture.colorRange = colorRange;
      picture.colorSpace = colorSpace;
      // Equal on both sides, so that the scaler maps no gamut: only the matrix may differ.
      picture.colorPrimaries = source.colorPrimaries;
      picture.colorTrc = source.colorTrc;
      checked(await this.#context.scaleFrame(picture, source), 'scaling a picture');
      picture.pts = source.pts;
      return picture;
    } catch (error) {
      picture.free();
      throw error;
    }
  }

  close(): void {
    this.#context.freeContext();
  }
}
