import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isKernelError } from "parhelion-core";
import { message, struct, versionBody } from "../client.test.fixture.js";
import { commandName } from "./commands.js";
import { type Frame, Frames } from "./frames.js";
import { decodeHeader, encodeCommand, encodeError, encodeReply } from "./header.js";
import { maxMessageFds, maxWrites } from "./limits.js";
import { decodeRequest } from "./request.js";
import { decodeVersion, defaultCapabilities, encodeVersion } from "./version.js";

const most = 8192;
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.bigInt(0n, 2n ** 64n - 1n);
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });

function frameOf(command: number, body: Uint8Array, fds: readonly number[] = [], flags = 0): Frame {
  const whole = message(1, command, flags, body);
  return { header: decodeHeader(whole), body, fds, descriptors: "all" };
}

test("headers are what the protocol says", () => {
  fc.assert(
    fc.property(u16, u16, bytes(64), fc.integer({ min: 1, max: 4095 }), (id, command, body, errno) => {
      assert.deepEqual(Buffer.from(encodeCommand(id, command, body)), message(id, command, 0, body));
      assert.deepEqual(Buffer.from(encodeReply(id, command, body)), message(id, command, 1, body));
      assert.deepEqual(
        Buffer.from(encodeError(id, command, errno)),
        message(id, command, 0x21, Buffer.alloc(0), errno),
      );
      const header = decodeHeader(message(id, command, 0x31, body, errno));
      const size = 16 + body.length;
      assert.deepEqual(header, { id, command, size, type: "reply", answer: "unwanted", errno });
    }),
  );
  assert.equal(decodeHeader(message(0, 0, 0x21, Buffer.alloc(0))).errno, 5);
  assert.equal(decodeHeader(message(0, 0, 7, Buffer.alloc(0))).type, "unknown");
});

test("a stream gives the same messages however it is cut, each with the descriptors that came with its last piece", () => {
  const one = fc.record({
    id: u16,
    command: u16,
    body: bytes(300),
    fds: fc.array(fc.nat(), { maxLength: maxMessageFds }),
  });
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      (sent, cuts) => {
        const frames = new Frames(most);
        const got: Frame[] = [];
        let cut = 0;
        for (const { id, command, body, fds } of sent) {
          // A socket gives no byte beyond a message that descriptors came with, but may give it in pieces, the first with them.
          let left: Uint8Array = message(id, command, 0, body);
          for (let first = true; left.length > 0; first = false) {
            const length = cuts[cut++ % cuts.length] as number;
            got.push(...frames.push(left.subarray(0, length), first ? fds : []));
            left = left.subarray(length);
          }
        }
        assert.equal(frames.partial, false);
        assert.deepEqual(
          got.map(({ header: { id, command }, body, fds }) => ({ id, command, body, fds })),
          sent.map((each) => ({ ...each })),
        );
        assert.deepEqual(frames.drop(), []);
      },
    ),
  );
});

test("messages that come in one piece are told apart, and descriptors go to the last of them", () => {
  const frames = new Frames(most);
  const piece = Buffer.concat([
    message(1, 4, 0, Buffer.alloc(16)),
    message(2, 13, 0, Buffer.alloc(0)),
    message(3, 2, 0, Buffer.alloc(32)).subarray(0, 20),
  ]);
  assert.deepEqual(
    frames.push(piece, [7]).map(({ header, fds }) => [header.id, fds]),
    [
      [1, []],
      [2, []],
    ],
  );
  assert.equal(frames.partial, true);
  assert.deepEqual(
    frames.push(Buffer.alloc(28)).map(({ header, fds }) => [header.id, fds]),
    [[3, [7]]],
  );
});

test("an impossible size, or more descriptors than a message may have, ends a stream, and no descriptor is lost", () => {
  for (const size of [0, 15, most + 1, 0xffff_ffff]) {
    const frames = new Frames(most);
    const header = message(9, 4, 0, Buffer.alloc(0));
    header.writeUInt32LE(size, 4);
    assert.equal(frames.push(Buffer.concat([message(8, 13, 0, Buffer.alloc(0)), header]), [5]).length, 1);
    assert.equal(frames.broken?.header.id, 9);
    assert.equal(frames.broken?.error.code, "EMSGSIZE");
    assert.deepEqual(frames.push(message(1, 13, 0, Buffer.alloc(0)), [6]), []);
    assert.deepEqual(frames.drop(), [5, 6]);
  }
  const frames = new Frames(most);
  const many = Array.from({ length: maxMessageFds + 1 }, (_, i) => i);
  frames.push(message(1, 8, 0, Buffer.alloc(20)).subarray(0, 18), many);
  assert.equal(frames.broken?.error.code, "EMSGSIZE");
  assert.deepEqual(frames.drop(), many);
});

test("whatever comes is a request or an error that the client can be told", () => {
  const numbers = [...Array(20).keys(), 0xffff];
  const anything = fc.record({
    command: fc.constantFrom(...numbers),
    body: fc.oneof(
      bytes(200),
      // Small numbers get further than random ones.
      fc
        .array(fc.oneof(fc.nat(40), u32), { maxLength: 40 })
        .map((words) => struct(...words.map((word) => ["u32", word] as const))),
    ),
    fds: fc.array(fc.nat(100), { maxLength: 3 }),
    flags: fc.constantFrom(0, 0, 0, 0x10, 2, 15),
  });
  fc.assert(
    fc.property(anything, ({ command, body, fds, flags }) => {
      try {
        const request = decodeRequest(frameOf(command, body, fds, flags), most);
        assert.equal(request.command, commandName(command));
      } catch (error) {
        assert.ok(isKernelError(error), String(error));
        assert.ok(error.code === "EINVAL" || error.code === "EOPNOTSUPP");
      }
    }),
    { numRuns: 2000 },
  );
});

test("requests mean what their fields say", () => {
  fc.assert(
    fc.property(u64, u64, u64, u32, bytes(100), (offset, iova, size, index, data) => {
      assert.deepEqual(
        decodeRequest(
          frameOf(2, struct(["u32", 32], ["u32", 3], ["u64", offset], ["u64", iova], ["u64", size]), [4]),
          most,
        ),
        { command: "DMA_MAP", map: { access: "read-write", offset, iova, size }, fd: 4 },
      );
      assert.deepEqual(
        decodeRequest(frameOf(3, struct(["u32", 24], ["u32", 0], ["u64", iova], ["u64", size])), most),
        {
          command: "DMA_UNMAP",
          unmap: { scope: "range", iova, size, flags: 0 },
        },
      );
      const head = struct(["u64", offset], ["u32", index], ["u32", data.length]);
      assert.deepEqual(decodeRequest(frameOf(9, head), most), {
        command: "REGION_READ",
        read: { region: index, offset, count: data.length },
      });
      assert.deepEqual(decodeRequest(frameOf(10, Buffer.concat([head, data])), most), {
        command: "REGION_WRITE",
        write: { region: index, offset, data: Buffer.from(data) },
      });
    }),
  );
});

test("what a message may have is bounded", () => {
  const refused = (command: number, body: Uint8Array, fds: readonly number[] = []): void =>
    assert.throws(() => decodeRequest(frameOf(command, body, fds), most), { code: "EINVAL" });
  refused(9, struct(["u64", 0], ["u32", 0], ["u32", most + 1]));
  refused(10, struct(["u64", 0], ["u32", 0], ["u32", 4], ["u16", 0]));
  refused(15, struct(["u64", maxWrites + 1], Buffer.alloc(24 * (maxWrites + 1))));
  refused(15, struct(["u64", 2n ** 64n - 1n]));
  refused(15, struct(["u64", 1], ["u64", 0], ["u32", 0], ["u32", 9], ["u64", 0]));
  refused(8, struct(["u32", 20], ["u32", 0x24], ["u32", 2], ["u32", 0xffff_ffff], ["u32", 2]));
  refused(8, struct(["u32", 20], ["u32", 0x24], ["u32", 2], ["u32", 0], ["u32", 2]), [1]);
  refused(8, struct(["u32", 20], ["u32", 0x21], ["u32", 2], ["u32", 0], ["u32", 1]), [1]);
  refused(8, struct(["u32", 20], ["u32", 0x22], ["u32", 2], ["u32", 0], ["u32", 3], ["u16", 0]));
  refused(4, struct(["u32", 15], ["u32", 0], ["u32", 0], ["u32", 0]));
  refused(17, struct(["u32", 8], ["u32", most + 1]));
  refused(2, struct(["u32", 32], ["u32", 3], ["u64", 0], ["u64", 0], ["u64", 0]), [1, 2]);
  refused(13, Buffer.alloc(0), [1]);
});

test("capabilities are taken from JSON text, and wrong ones are refused", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1024 }),
      fc.integer({ min: 1, max: 0xffff_ffff }),
      fc.boolean(),
      (fds, data, multiple) => {
        const decoded = decodeVersion(
          versionBody({
            max_msg_fds: fds,
            max_data_xfer_size: data,
            write_multiple: multiple,
            twin_socket: { supported: true },
          }),
        );
        const { capabilities } = decoded;
        assert.equal(capabilities.maxMessageFds, fds);
        assert.equal(capabilities.maxDataBytes, data);
        assert.equal(capabilities.writeMultiple, multiple ? "supported" : "unsupported");
        assert.equal(capabilities.twinSocket, "supported");
        assert.deepEqual(decodeVersion(encodeVersion(decoded)), decoded);
      },
    ),
  );
  assert.deepEqual(decodeVersion(versionBody(null)).capabilities, defaultCapabilities);
  const refused = (text: string | Uint8Array): void =>
    assert.throws(() => decodeVersion(struct(["u16", 0], ["u16", 0], Buffer.from(text))), { code: "EINVAL" });
  refused('{"capabilities":{}}');
  for (const text of [
    "{",
    "[]",
    "3",
    '"a"',
    "null",
    '{"capabilities":[]}',
    '{"capabilities":{"migration":4}}',
  ])
    refused(`${text}\0`);
  for (const wrong of ["1025", "-1", "1.5", '"8"', "null", "1e99"])
    refused(`{"capabilities":{"max_msg_fds":${wrong}}}\0`);
  refused('{"capabilities":{"write_multiple":1}}\0');
  refused(Uint8Array.of(0x22, 0xff, 0xfe, 0x22, 0));
  refused(`{"capabilities":{"a":"${"b".repeat(5000)}"}}\0`);
  assert.throws(() => decodeVersion(Uint8Array.of(0, 0, 0)), { code: "EINVAL" });
});
