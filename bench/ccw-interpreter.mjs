/**
 * Measures the channel: CCWs a second and MB a second of one channel program that loops over commands, on a device that
 * has nothing to do.
 *
 *   node bench/ccw-interpreter.mjs [--ms 1000] [--json]
 *
 * Build first (npm run build). Numbers on a machine with few, shared processors vary; compare rows of one run.
 */
import { parseArgs } from "node:util";
import { ccw1, orb } from "../packages/buses/dist/index.js";
import { AbsoluteStorage, ChannelProgram, startControls } from "../packages/ccw/dist/index.js";
import { createRuntime } from "../packages/core/dist/index.js";

const { values } = parseArgs({
  options: { ms: { type: "string", default: "1000" }, json: { type: "boolean", default: false } },
});
const ms = Number(values.ms);
if (!(ms > 0)) {
  console.error(`--ms ${values.ms}: a number above 0 is expected`);
  process.exit(64);
}

const [CD, CC, SLI, IDA] = [0x80, 0x40, 0x20, 0x04];
const programAt = 0x1000;
const listAt = 0x8000;
const dataAt = 0x10_0000;
const done = { status: 0x0c };
const block = new Uint8Array(65_535);

/** Takes what a write has, and gives a read as much as the row says. */
function deviceOf(length) {
  return {
    execute: async ({ kind }, data) => {
      if (kind === "read") await data.send(block.subarray(0, length));
      else if (kind === "write") await data.receive(length);
      return done;
    },
    halt() {},
  };
}

const nop = { cmd: 0x03, flags: CC | SLI, count: 1, cda: dataAt };
const rows = [
  { name: "no-operation", length: 0, ccws: Array(200).fill(nop) },
  { name: "no-operation and a transfer each", length: 0, ccws: [nop], transfers: true },
  ...[16, 4096, 49_152].flatMap((length) =>
    [
      { name: "read", cmd: 0x02 },
      { name: "write", cmd: 0x01 },
    ].flatMap(({ name, cmd }) => {
      const ccw = { cmd, flags: CC, count: length, cda: dataAt };
      return [
        { name: `${name} ${length} B`, length, ccws: Array(200).fill(ccw) },
        {
          name: `${name} ${length} B, format-2 IDAWs`,
          length,
          ccws: Array(200).fill({ ...ccw, flags: CC | IDA, cda: listAt }),
        },
      ];
    }),
  ),
  {
    name: "read 4096 B over 16 data-chained CCWs",
    length: 4096,
    ccws: Array.from({ length: 208 }, (_, at) => ({
      cmd: 0x02,
      flags: at % 16 === 15 ? CC : CD,
      count: 256,
      cda: dataAt + (at % 16) * 4096,
    })),
  },
];

async function measure({ name, length, ccws, transfers }) {
  const runtime = createRuntime();
  const storage = new AbsoluteStorage(new Uint8Array(2 ** 22));
  const list = new DataView(storage.bytes.buffer);
  for (let word = 0; word < 16; word++) list.setBigUint64(listAt + word * 8, BigInt(dataAt + word * 4096));
  const back = { cmd: 0x08, flags: 0, count: 0, cda: programAt };
  for (const [at, ccw] of [...ccws, back].entries()) storage.bytes.set(ccw1.encode(ccw), programAt + at * 8);
  const limit = transfers ? 20_000 : 20_100;
  const controls = startControls(orb.make({ fmt: 1, c64: 1, ils: 1, cpa: programAt }));
  let fetched = 0;
  const run = async () => {
    const path = { chpid: 0, mask: 0x80 };
    const limits = { ccws: limit };
    const device = deviceOf(length);
    const program = new ChannelProgram(runtime, { name, controls, storage, device, path, limits });
    const end = await program.run();
    // Each run ends at its limit, which is a program check.
    if (end.cstat !== 0x20) throw new Error(`${name}: the program ended with ${JSON.stringify(end)}`);
    fetched += limit;
  };
  await run();
  fetched = 0;
  const begin = performance.now();
  while (performance.now() - begin < ms) await run();
  const seconds = (performance.now() - begin) / 1000;
  const commands =
    (fetched * (transfers ? 1 / 2 : 200 / 201)) / (length === 4096 && ccws.length === 208 ? 16 : 1);
  return { name, ccwsPerSecond: fetched / seconds, mbPerSecond: (commands * length) / seconds / 1e6 };
}

const results = [];
for (const row of rows) results.push(await measure(row));
if (values.json) console.log(JSON.stringify({ ms, rows: results }, null, 1));
else {
  console.log(`${"".padEnd(40)}${"CCWs/s".padStart(12)}${"MB/s".padStart(10)}`);
  for (const { name, ccwsPerSecond, mbPerSecond } of results) {
    const rate = Math.round(ccwsPerSecond).toLocaleString("en");
    console.log(`${name.padEnd(40)}${rate.padStart(12)}${mbPerSecond.toFixed(1).padStart(10)}`);
  }
}
