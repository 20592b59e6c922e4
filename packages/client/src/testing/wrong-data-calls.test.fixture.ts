/** Wrong calls around data: buffers, mappings, queues. */
import { calls, USAGE, wrong } from "./wrong-call.test.fixture.js";

export const bufferCalls = calls({
  "createBuffer without a descriptor": ({ device }) => device.createBuffer(wrong()),
  "createBuffer with a number": ({ device }) => device.createBuffer(wrong(1)),
  "createBuffer without size": ({ device }) => device.createBuffer(wrong({ usage: 8 })),
  "createBuffer without usage": ({ device }) => device.createBuffer(wrong({ size: 8 })),
  "createBuffer with a negative size": ({ device }) => device.createBuffer({ size: -1, usage: 8 }),
  "createBuffer with a size of NaN": ({ device }) => device.createBuffer({ size: Number.NaN, usage: 8 }),
  "createBuffer with an infinite size": ({ device }) => device.createBuffer({ size: Infinity, usage: 8 }),
  "createBuffer with a size of 2^53": ({ device }) => device.createBuffer({ size: 2 ** 53, usage: 8 }),
  "createBuffer with a usage of 2^32": ({ device }) => device.createBuffer({ size: 8, usage: 2 ** 32 }),
  "createBuffer with usage 0": ({ device }) => device.createBuffer({ size: 8, usage: 0 }),
  "createBuffer with MAP_READ and STORAGE": ({ device }) =>
    device.createBuffer({ size: 8, usage: USAGE.MAP_READ | USAGE.STORAGE }),
  "createBuffer above the largest": ({ device }) => device.createBuffer({ size: 2 ** 40, usage: 8 }),
  "createBuffer mapped with a size of 6": ({ device }) =>
    device.createBuffer({ size: 6, usage: 8, mappedAtCreation: true }),
  "createBuffer mapped with a size of 2^40": ({ device }) =>
    device.createBuffer({ size: 2 ** 40, usage: 8, mappedAtCreation: true }),
  "createBuffer with a symbol as label": ({ device }) =>
    device.createBuffer({ size: 8, usage: 8, label: wrong(Symbol("label")) }),
  "createBuffer with a getter that throws": ({ device }) =>
    device.createBuffer({
      usage: 8,
      get size(): number {
        throw new RangeError("getter");
      },
    }),
  "mapAsync without a mode": ({ readable }) => readable.mapAsync(wrong()),
  "mapAsync with mode 0": ({ readable }) => readable.mapAsync(0),
  "mapAsync with both modes": ({ readable }) => readable.mapAsync(3),
  "mapAsync with mode -1": ({ readable }) => readable.mapAsync(-1),
  "mapAsync for writing what can be read": ({ readable }) => readable.mapAsync(2),
  "mapAsync with an offset of 4": ({ readable }) => readable.mapAsync(1, 4),
  "mapAsync with a size of 2": ({ readable }) => readable.mapAsync(1, 0, 2),
  "mapAsync beyond the end": ({ readable }) => readable.mapAsync(1, 8, 64),
  "mapAsync with an offset beyond the end": ({ readable }) => readable.mapAsync(1, 128),
  "mapAsync of what can't be mapped": ({ copyDst }) => copyDst.mapAsync(1),
  "mapAsync twice": ({ readable }) => {
    readable.mapAsync(1).catch(() => {});
    return readable.mapAsync(1);
  },
  "mapAsync while mapped": async ({ readable }) => {
    await readable.mapAsync(1);
    return readable.mapAsync(1);
  },
  "mapAsync after destroy": ({ readable }) => {
    readable.destroy();
    return readable.mapAsync(1);
  },
  "unmap while mapAsync is pending": ({ readable }) => {
    const pending = readable.mapAsync(1);
    readable.unmap();
    return pending;
  },
  "destroy while mapAsync is pending": ({ readable }) => {
    const pending = readable.mapAsync(1);
    readable.destroy();
    return pending;
  },
  "device.destroy while mapAsync is pending": ({ device, readable }) => {
    const pending = readable.mapAsync(1);
    device.destroy();
    return pending;
  },
  "mapAsync on a destroyed device": ({ device, readable }) => {
    device.destroy();
    return readable.mapAsync(1);
  },
  "getMappedRange while unmapped": ({ readable }) => readable.getMappedRange(),
  "getMappedRange while pending": ({ readable }) => {
    readable.mapAsync(1).catch(() => {});
    return readable.getMappedRange();
  },
  "getMappedRange with an offset of 4": async ({ readable }) => {
    await readable.mapAsync(1);
    return readable.getMappedRange(4);
  },
  "getMappedRange with a size of 6": async ({ readable }) => {
    await readable.mapAsync(1);
    return readable.getMappedRange(0, 6);
  },
  "getMappedRange beyond the end": async ({ readable }) => {
    await readable.mapAsync(1);
    return readable.getMappedRange(8, 64);
  },
  "getMappedRange outside of the mapped part": async ({ readable }) => {
    await readable.mapAsync(1, 16, 16);
    return readable.getMappedRange(0, 8);
  },
  "getMappedRange twice": async ({ readable }) => {
    await readable.mapAsync(1);
    readable.getMappedRange(0, 8);
    return readable.getMappedRange(0, 8);
  },
  "getMappedRange with overlap": async ({ readable }) => {
    await readable.mapAsync(1);
    readable.getMappedRange(8, 16);
    return readable.getMappedRange(0, 12);
  },
  "getMappedRange after unmap": async ({ readable }) => {
    await readable.mapAsync(1);
    readable.unmap();
    return readable.getMappedRange();
  },
  "getMappedRange with a negative offset": ({ readable }) => readable.getMappedRange(-8),
  "getMappedRange at creation, all of it": ({ device }) =>
    void device.createBuffer({ size: 8, usage: 8, mappedAtCreation: true }).getMappedRange(),
});

export const queueCalls = calls({
  "writeBuffer without arguments": ({ device }) => device.queue.writeBuffer(wrong(), 0, new Uint8Array(4)),
  "writeBuffer into a texture": ({ device, texture }) =>
    device.queue.writeBuffer(wrong(texture), 0, new Uint8Array(4)),
  "writeBuffer from an array": ({ device, copyDst }) => device.queue.writeBuffer(copyDst, 0, wrong([1, 2])),
  "writeBuffer from nothing": ({ device, copyDst }) => device.queue.writeBuffer(copyDst, 0, wrong(null)),
  "writeBuffer of 3 bytes": ({ device, copyDst }) => device.queue.writeBuffer(copyDst, 0, new Uint8Array(3)),
  "writeBuffer with dataOffset beyond the data": ({ device, copyDst }) =>
    device.queue.writeBuffer(copyDst, 0, new Uint8Array(4), 5),
  "writeBuffer with size beyond the data": ({ device, copyDst }) =>
    device.queue.writeBuffer(copyDst, 0, new Uint8Array(4), 0, 8),
  "writeBuffer with size in elements beyond the data": ({ device, copyDst }) =>
    device.queue.writeBuffer(copyDst, 0, new Uint32Array(4), 2, 3),
  "writeBuffer at offset 2": ({ device, copyDst }) => device.queue.writeBuffer(copyDst, 2, new Uint8Array(4)),
  "writeBuffer at a negative offset": ({ device, copyDst }) =>
    device.queue.writeBuffer(copyDst, -4, new Uint8Array(4)),
  "writeBuffer beyond the end": ({ device, copyDst }) =>
    device.queue.writeBuffer(copyDst, 60, new Uint8Array(8)),
  "writeBuffer far beyond the end, 9 MiB": ({ device, copyDst }) =>
    device.queue.writeBuffer(copyDst, 0, new Uint8Array(9 << 20)),
  "writeBuffer as far beyond the end as numbers go, 9 MiB": ({ device, copyDst }) =>
    device.queue.writeBuffer(copyDst, 2 ** 53 - 8, new Uint8Array(9 << 20)),
  "writeBuffer into a buffer without COPY_DST": ({ device }) =>
    device.queue.writeBuffer(device.createBuffer({ size: 8, usage: USAGE.UNIFORM }), 0, new Uint8Array(8)),
  "writeBuffer into a mapped buffer": ({ device }) =>
    device.queue.writeBuffer(
      device.createBuffer({ size: 8, usage: USAGE.COPY_DST, mappedAtCreation: true }),
      0,
      new Uint8Array(8),
    ),
  "writeBuffer into a destroyed buffer": ({ device, copyDst }) => {
    copyDst.destroy();
    device.queue.writeBuffer(copyDst, 0, new Uint8Array(8));
  },
  "writeTexture without a size": ({ device, texture }) =>
    device.queue.writeTexture({ texture }, new Uint8Array(64), { bytesPerRow: 16 }, wrong()),
  "writeTexture with too little data": ({ device, texture }) =>
    device.queue.writeTexture({ texture }, new Uint8Array(60), { bytesPerRow: 16 }, [4, 4]),
  "writeTexture with an offset behind the data": ({ device, texture }) =>
    device.queue.writeTexture({ texture }, new Uint8Array(64), { offset: 65, bytesPerRow: 16 }, [4, 4]),
  "writeTexture with bytesPerRow below a row": ({ device, texture }) =>
    device.queue.writeTexture({ texture }, new Uint8Array(64), { bytesPerRow: 12 }, [4, 4]),
  "writeTexture without bytesPerRow": ({ device, texture }) =>
    device.queue.writeTexture({ texture }, new Uint8Array(64), {}, [4, 4]),
  "writeTexture with an empty size": ({ device, texture }) =>
    device.queue.writeTexture({ texture }, new Uint8Array(64), { bytesPerRow: 16 }, []),
  "writeTexture with a size of four": ({ device, texture }) =>
    device.queue.writeTexture({ texture }, new Uint8Array(64), { bytesPerRow: 16 }, wrong([4, 4, 1, 1])),
  "writeTexture outside of the texture": ({ device, texture }) =>
    device.queue.writeTexture({ texture, origin: [1, 1] }, new Uint8Array(64), { bytesPerRow: 16 }, [4, 4]),
  "writeTexture without a texture": ({ device }) =>
    device.queue.writeTexture(wrong({}), new Uint8Array(64), { bytesPerRow: 16 }, [4, 4]),
  "submit without arguments": ({ device }) => device.queue.submit(wrong()),
  "submit of an encoder": ({ device, encoder }) => device.queue.submit(wrong([encoder])),
  "submit of null": ({ device }) => device.queue.submit(wrong([null])),
  "submit twice": ({ device, encoder }) => {
    const commands = encoder.finish();
    device.queue.submit([commands]);
    device.queue.submit([commands]);
  },
});
