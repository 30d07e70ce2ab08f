// Takes the streams of cameras and phones that can only push (RTMP and enhanced RTMP) and puts the
// NAL units of their video into a sink, as `rtsp` does for cameras that are asked. This room owns the
// port, who may publish by which key, and every bound that a stranger meets. It never plays a stream
// to anybody, never decodes, stores or repairs a picture, and never writes a key to a log or a message.

export { PushDoor } from './push-door.js';
export { PushStream } from './push-stream.js';
export { pushKeyOf } from './push-address.js';
