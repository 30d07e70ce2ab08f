// The ways to encode H.264 that this house knows, best first; which of them work is found by trying.

import {
  AV_HWDEVICE_TYPE_CUDA,
  AV_HWDEVICE_TYPE_QSV,
  AV_HWDEVICE_TYPE_VAAPI,
  AV_PIX_FMT_CUDA,
  AV_PIX_FMT_NV12,
  AV_PIX_FMT_QSV,
  AV_PIX_FMT_VAAPI,
  AV_PIX_FMT_YUV420P,
  FF_ENCODER_H264_NVENC,
  FF_ENCODER_H264_QSV,
  FF_ENCODER_H264_VAAPI,
  FF_ENCODER_LIBX264,
} from 'node-av/constants';
import type { AVHWDeviceType, AVPixelFormat, FFEncoderCodec } from 'node-av/constants';

export type EncodePathName = 'nvenc' | 'qsv' | 'vaapi' | 'x264';

export interface EncodePath {
  readonly name: EncodePathName;
  readonly encoder: FFEncoderCodec;
  /** The layout in main memory that the encoder (or the upload to its device) takes. */
  readonly pixelFormat: AVPixelFormat;
  readonly device?: {
    readonly type: AVHWDeviceType;
    /** How pictures that live on the device are marked. */
    readonly pixelFormat: AVPixelFormat;
    /** The encoder takes pictures on the device only. */
    readonly uploads: boolean;
  };
  readonly options: Readonly<Record<string, string>>;
}

/** No scene cuts and no B-frames: key frames stand where the source has them, and nowhere else. */
export const X264_PATH: EncodePath = {
  name: 'x264',
  encoder: FF_ENCODER_LIBX264,
  pixelFormat: AV_PIX_FMT_YUV420P,
  options: {
    preset: 'veryfast',
    profile: 'main',
    crf: '23',
    'forced-idr': '1',
    // `stitchable` keeps the parameter sets from following the content.
    'x264-params': 'scenecut=0:stitchable=1',
  },
};

export const HARDWARE_PATHS: readonly EncodePath[] = [
  {
    name: 'nvenc',
    encoder: FF_ENCODER_H264_NVENC,
    pixelFormat: AV_PIX_FMT_NV12,
    device: { type: AV_HWDEVICE_TYPE_CUDA, pixelFormat: AV_PIX_FMT_CUDA, uploads: false },
    options: { preset: 'p3', profile: 'main', rc: 'vbr', cq: '25', 'forced-idr': '1' },
  },
  {
    name: 'qsv',
    encoder: FF_ENCODER_H264_QSV,
    pixelFormat: AV_PIX_FMT_NV12,
    device: { type: AV_HWDEVICE_TYPE_QSV, pixelFormat: AV_PIX_FMT_QSV, uploads: false },
    options: { preset: 'veryfast', profile: 'main', forced_idr: '1' },
  },
  {
    name: 'vaapi',
    encoder: FF_ENCODER_H264_VAAPI,
    pixelFormat: AV_PIX_FMT_NV12,
    device: { type: AV_HWDEVICE_TYPE_VAAPI, pixelFormat: AV_PIX_FMT_VAAPI, uploads: true },
    options: { profile: 'main', rc_mode: 'VBR' },
  },
];
