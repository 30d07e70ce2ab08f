import { ByteReader, ByteWriter } from './byte-cursor.js';

const EDGES = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];

test('numbers come back as they were written', () => {
  const writer = new ByteWriter(1);
  for (const value of EDGES) writer.varint(value).u64(value);
  for (const value of EDGES.map((edge) => Math.floor(edge / 4))) writer.zigzag(-value);
  const reader = new ByteReader(writer.view());
  for (const value of EDGES) expect([reader.varint(), reader.u64()]).toEqual([value, value]);
  for (const value of EDGES.map((edge) => Math.floor(edge / 4))) {
    expect(reader.zigzag() + value).toBe(0);
  }
  expect(reader.remaining).toBe(0);
});

test('texts and bytes come back', () => {
  const bytes = new ByteWriter().text('grün').bytes(Buffer.of(1, 2)).u8(3).u32(4).copy();
  const reader = new ByteReader(bytes);
  expect([reader.text(), [...reader.bytes(2)], reader.u8(), reader.u32()]).toEqual([
    'grün',
    [1, 2],
    3,
    4,
  ]);
});

test('what is no unsigned integer is refused', () => {
  for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) {
    expect(() => new ByteWriter().varint(value)).toThrow('expected an integer');
  }
});

test('bytes that end early or hold too large a number are data loss', () => {
  for (const bytes of [[], [128], [255, 255, 255, 255, 255, 255, 255, 127], Array(9).fill(255)]) {
    expect(() => new ByteReader(Uint8Array.from(bytes)).varint()).toThrow('expected');
  }
  expect(() => new ByteReader(Buffer.alloc(8, 255)).u64()).toThrow('below 2^53');
  expect(() => new ByteReader(Buffer.of(5, 65)).text()).toThrow('5 more bytes');
});
