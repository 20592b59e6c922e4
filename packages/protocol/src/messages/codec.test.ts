import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isProtocolError } from "../error.js";
import type { ProtocolErrorCode } from "../error-codes.js";
import * as messages from "./index.js";
import {
  bytesToGuid,
  CreateAllocationRequest,
  DestroyAllocation2Request,
  EnumAdapters3Reply,
  guidToBytes,
  OpenAdapterFromLuidRequest,
  QueueHelloRequest,
  type StructCodec,
  structCodec,
  VmbusOfferChannel,
  VmCreateProcessRequest,
} from "./index.js";

const everyCodec: readonly { decode(bytes: Uint8Array): unknown }[] = Object.values(messages).flatMap(
  (value) => (typeof value === "object" && "decode" in value ? [value] : []),
);

const guid = "6e382d18-3336-4f4b-acc4-2b7703d4df4a";

describe("control structs", () => {
  it("come back as they were", () => {
    const offer = {
      relid: 7,
      interfaceType: guid,
      interfaceInstance: "00112233-4455-6677-8899-aabbccddeeff",
      flags: 1,
      mmioMegabytes: 128,
      subChannelIndex: 0,
      connectionId: 0,
      userData: Uint8Array.of(1, 2, 3),
      slice: guid,
      generation: 2n ** 40n,
    };
    assert.deepEqual(VmbusOfferChannel.decode(VmbusOfferChannel.encode(offer)), offer);
    const adapters = [
      { node: "dxg0", luid: 0x1_0000_0002n, instance: guid },
      { node: "dxg1", luid: 3n, instance: guid },
    ];
    assert.deepEqual(EnumAdapters3Reply.decode(EnumAdapters3Reply.encode({ adapters })), { adapters });
  });

  it("of any size are written whole, wherever their memory has to grow", () => {
    for (let count = 0; count <= 300; count++) {
      const objects = Array.from({ length: count }, (_, i) => i * 0x010101);
      const value = { ...DestroyAllocation2Request.defaults(), allocations: objects };
      assert.deepEqual(DestroyAllocation2Request.decode(DestroyAllocation2Request.encode(value)), value);
    }
    const node = fc.string({ maxLength: 250 });
    fc.assert(
      fc.property(fc.array(node, { maxLength: 40 }), (nodes) => {
        const adapters = nodes.map((node) => ({ node, luid: 7n, instance: guid }));
        assert.deepEqual(EnumAdapters3Reply.decode(EnumAdapters3Reply.encode({ adapters })), { adapters });
      }),
    );
  });

  it("lie little-endian, in order, without padding", () => {
    assert.deepEqual(
      [...OpenAdapterFromLuidRequest.encode({ luid: 0x0102030405060708n })],
      [8, 7, 6, 5, 4, 3, 2, 1],
    );
  });

  it("keep a GUID in memory order", () => {
    const bytes = guidToBytes(guid);
    assert.deepEqual([...bytes.subarray(0, 8)], [0x18, 0x2d, 0x38, 0x6e, 0x36, 0x33, 0x4b, 0x4f]);
    assert.equal(bytesToGuid(bytes), guid);
    assert.throws(
      () => guidToBytes(guid.toUpperCase()),
      (error) => isProtocolError(error, "bad-value"),
    );
  });

  it("of an older sender leave the missing fields at their defaults", () => {
    const whole = CreateAllocationRequest.encode({ device: 5, resource: 6, flags: 7 });
    assert.deepEqual(CreateAllocationRequest.decode(whole.subarray(0, 8)), {
      device: 5,
      resource: 6,
      flags: 0,
      allocations: [],
    });
    assert.deepEqual(QueueHelloRequest.decode(new Uint8Array(0)), QueueHelloRequest.defaults());
  });

  it("of a newer sender are read as far as they are known", () => {
    const luid = OpenAdapterFromLuidRequest.encode({ luid: 9n });
    assert.deepEqual(OpenAdapterFromLuidRequest.decode(Uint8Array.of(...luid, 1, 2, 3)), { luid: 9n });
  });

  it("skip unknown fields inside a nested struct", () => {
    const longer = structCodec<{ a: number; b: number; c: number }>({
      name: "Longer",
      defaults: () => ({ a: 0, b: 0, c: 0 }),
      write(w) {
        w.struct(() => {
          w.u32(1);
          w.u32(2);
        });
        w.u32(3);
      },
      read: (r) => ({ a: r.struct("inner", (inner) => inner.u32("a")), b: 0, c: r.u32("c") }),
    });
    assert.deepEqual(longer.decode(longer.encode({})), { a: 1, b: 0, c: 3 });
  });

  it("refuse a field cut in the middle, a length beyond the body, too much, and bad text", () => {
    const refused = (codec: StructCodec<unknown>, bytes: number[], code: ProtocolErrorCode) =>
      assert.throws(
        () => codec.decode(Uint8Array.from(bytes)),
        (error) => isProtocolError(error, code),
        code,
      );
    refused(OpenAdapterFromLuidRequest, [1, 2, 3], "truncated");
    refused(EnumAdapters3Reply, [9, 0, 0, 0, 1], "bad-length");
    refused(
      VmbusOfferChannel,
      [...VmbusOfferChannel.encode({}).subarray(0, 46), 121, 0, 0, 0, ...new Array(121).fill(0)],
      "too-long",
    );
    const name = VmCreateProcessRequest.encode({ processId: 1, name: "x" });
    name[name.length - 1] = 0xff;
    refused(VmCreateProcessRequest, [...name], "bad-text");
  });

  it("refuse to be encoded beyond their limits", () => {
    assert.throws(
      () => VmbusOfferChannel.encode({ relid: -1 }),
      (error) => isProtocolError(error, "bad-value"),
    );
    assert.throws(
      () => VmbusOfferChannel.encode({ userData: new Uint8Array(121) }),
      (error) => isProtocolError(error, "too-long"),
    );
  });
});

describe("every decoder", () => {
  it("is total: any bytes give a value or a ProtocolError", () => {
    fc.assert(
      fc.property(fc.constantFrom(...everyCodec), fc.uint8Array({ maxLength: 200 }), (codec, bytes) => {
        try {
          codec.decode(bytes);
        } catch (error) {
          if (!isProtocolError(error)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("survives a valid message cut anywhere or with a byte changed", () => {
    const whole = EnumAdapters3Reply.encode({ adapters: [{ node: "dxg0", luid: 1n, instance: guid }] });
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (length, at, byte) => {
        const bytes = whole.slice(0, length);
        if (at < length) bytes[at] = byte;
        try {
          EnumAdapters3Reply.decode(bytes);
        } catch (error) {
          if (!isProtocolError(error)) throw error;
        }
      }),
    );
  });
});
