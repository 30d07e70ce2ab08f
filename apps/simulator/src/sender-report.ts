// RTCP sender reports (RFC 3550 sections 6.4.1 and 6.5), with interleaved framing in front.

const NTP_EPOCH_SECONDS = 2_208_988_800;
const NAME = 'nightjar@simulator';

export interface SenderReport {
  readonly channel: number;
  readonly ssrc: number;
  readonly unixMs: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly bytes: number;
}

/** A compound packet: the report and the source's canonical name. */
export function senderReport(report: SenderReport): Buffer {
  const itemBytes = 4 + 2 + NAME.length;
  const nameBytes = Math.ceil((itemBytes + 1) / 4) * 4;
  const packet = Buffer.alloc(4 + 28 + 4 + nameBytes);
  packet[0] = 0x24;
  packet[1] = report.channel;
  packet.writeUInt16BE(packet.length - 4, 2);
  packet[4] = 0x80;
  packet[5] = 200;
  packet.writeUInt16BE(6, 6);
  packet.writeUInt32BE(report.ssrc, 8);
  const seconds = Math.floor(report.unixMs / 1000);
  packet.writeUInt32BE((seconds + NTP_EPOCH_SECONDS) % 2 ** 32, 12);
  packet.writeUInt32BE(Math.floor(((report.unixMs % 1000) / 1000) * 2 ** 32), 16);
  packet.writeUInt32BE(report.timestamp, 20);
  packet.writeUInt32BE(report.packets % 2 ** 32, 24);
  packet.writeUInt32BE(report.bytes % 2 ** 32, 28);
  packet[32] = 0x81;
  packet[33] = 202;
  packet.writeUInt16BE(nameBytes / 4, 34);
  packet.writeUInt32BE(report.ssrc, 36);
  packet[40] = 1;
  packet[41] = NAME.length;
  packet.write(NAME, 42, 'latin1');
  return packet;
}
