import { createSocket } from 'node:dgram';
import { systemClock } from '#base';
import { eventually } from '#base/testing';
import { UdpPorts } from './udp-ports.js';

test('datagrams are told of as they arrive, and handed on as they were sent', async () => {
  const ports = await UdpPorts.open('127.0.0.1', { clock: systemClock });
  const sender = createSocket('udp4');
  const arrived: number[] = [];
  const handed: number[] = [];
  const numberOf = (packet: Uint8Array) => ((packet[2] ?? 0) << 8) | (packet[3] ?? 0);
  ports.begin({
    granted: { channels: [0, 1] },
    address: '127.0.0.1',
    handler: {
      arrived: (packet) => void arrived.push(numberOf(packet)),
      onRtp: (packet) => void handed.push(numberOf(packet)),
      onRtcp: () => undefined,
    },
    onError: (error) => {
      throw error;
    },
  });
  try {
    for (const number of [10, 12, 11]) {
      const packet = Buffer.alloc(20);
      packet[0] = 0x80;
      packet.writeUInt16BE(number, 2);
      await new Promise((resolve) => sender.send(packet, ports.rtpPort, '127.0.0.1', resolve));
    }
    await eventually('all are handed on', () => handed.length === 3);
    expect(arrived).toEqual([10, 12, 11]);
    expect(handed).toEqual([10, 11, 12]);
  } finally {
    ports.close();
    sender.close();
  }
});
