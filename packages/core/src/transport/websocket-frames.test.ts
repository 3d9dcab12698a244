import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameMeter } from "./websocket-frames.ts";

const TEXT = 0x1;
const CONTINUATION = 0x0;
const PING = 0x9;

function frame(opcode: number, length: number, { fin = true, masked = true } = {}): Buffer {
  const size = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + size);
  header[0] = (fin ? 0x80 : 0) | opcode;
  header[1] = (masked ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127);
  if (size === 2) header.writeUInt16BE(length, 2);
  if (size === 8) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, Buffer.alloc((masked ? 4 : 0) + length, 0xff)]);
}

describe("frame meter, RFC 6455 §5.2", () => {
  it.each([0, 1, 125, 126, 65_535, 65_536])("finds the end of a frame of %d bytes", (length) => {
    for (const masked of [true, false]) {
      const meter = new FrameMeter();
      const bytes = frame(TEXT, length, { masked });
      expect(meter.push(bytes.subarray(0, -1))).toBe(0);
      expect(meter.partial).toBe(true);
      expect(meter.push(bytes.subarray(-1))).toBe(0);
      expect(meter.partial).toBe(false);
    }
  });

  it("counts control frames and fragments, and knows that a message isn't whole between them", () => {
    const meter = new FrameMeter();
    expect(meter.push(frame(TEXT, 3, { fin: false }))).toBe(1);
    expect(meter.partial).toBe(true);
    expect(meter.push(Buffer.concat([frame(PING, 0), frame(PING, 2)]))).toBe(2);
    expect(meter.partial).toBe(true);
    expect(meter.push(frame(CONTINUATION, 0, { fin: false }))).toBe(1);
    expect(meter.push(frame(CONTINUATION, 3))).toBe(0);
    expect(meter.partial).toBe(false);
  });

  it("waits for a length of 2^63", () => {
    const meter = new FrameMeter();
    meter.push(Buffer.from("81ff8000000000000000aabbccdd", "hex"));
    expect(meter.push(Buffer.alloc(1_000_000))).toBe(0);
    expect(meter.partial).toBe(true);
  });

  it("says the same wherever the stream is cut", () => {
    const one = fc
      .tuple(fc.constantFrom(TEXT, PING), fc.nat({ max: 300 }), fc.boolean(), fc.boolean())
      .map(([opcode, length, fin, masked]) => ({
        others: opcode === PING || !fin ? 1 : 0,
        bytes: frame(opcode, length, { fin, masked }),
      }));
    fc.assert(
      fc.property(fc.array(one, { maxLength: 6 }), fc.array(fc.nat()), (frames, cuts) => {
        const stream = Buffer.concat(frames.map(({ bytes }) => bytes));
        const meter = new FrameMeter();
        let others = 0;
        let from = 0;
        for (const to of [...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort(
          (a, b) => a - b,
        )) {
          others += meter.push(stream.subarray(from, to));
          from = to;
        }
        expect(others).toBe(frames.reduce((sum, each) => sum + each.others, 0));
      }),
    );
  });
});
