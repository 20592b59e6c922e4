import assert from "node:assert/strict";
import { cp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "parhelion-core";
import { HostError } from "../host-error.js";
import { LevelTable } from "./level-table.js";
import { forgetStore, openStore, storeName } from "./open-store.js";
import { contentOf, guestRecord, inStateDirectory, sliceRecord, uuidOf } from "./store.test.fixture.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

/** Of the points at which a log is cut: every one of so many. STORE_CUT_STEP=1 takes all, in about half a minute. */
const cutStep = Number(process.env["STORE_CUT_STEP"] ?? 29);

interface Written {
  /** The store's directory, as it was when its host was killed. */
  readonly directory: string;
  readonly log: string;
  /** What there was after so many changes, and how long the log was then. */
  readonly history: readonly { readonly content: string; readonly bytes: number }[];
}

/** A store with so many changes in one log. */
async function written(home: string, changes: number, nameLength = 8): Promise<Written> {
  const live = join(home, "live");
  const store = await openStore(createRuntime(), live);
  const directory = join(home, "killed");
  const names = await readdir(join(live, storeName));
  const log = names.find((name) => name.endsWith(".log")) as string;
  const bytes = async () => (await stat(join(live, storeName, log))).size;
  const history = [{ content: contentOf(store), bytes: await bytes() }];
  for (let n = 1; n <= changes; n++) {
    const guest = guestRecord(n % 3, { name: `${n}`.padStart(nameLength, "x") });
    const removeSlices = n % 4 === 0 ? [uuidOf(n - 1)] : [];
    await store.change({
      putGuests: [guest],
      putSlices: [sliceRecord(n, { holder: guest.id })],
      removeSlices,
    });
    history.push({ content: contentOf(store), bytes: await bytes() });
  }
  await cp(join(live, storeName), join(directory, storeName), { recursive: true });
  await store.close();
  return { directory, log, history };
}

/** What a host finds there: the content, or the code it refuses to start with. Whatever it opens takes changes. */
async function found(directory: string): Promise<string> {
  try {
    const store = await openStore(createRuntime(), directory);
    const content = contentOf(store);
    await store.change({ putGuests: [guestRecord(99)] });
    await store.close();
    return content;
  } catch (error) {
    assert.ok(error instanceof HostError, String(error));
    return error.code;
  }
}

async function changed(
  { directory }: Written,
  into: string,
  change: (store: string) => Promise<void>,
): Promise<string> {
  await cp(directory, into, { recursive: true });
  await change(join(into, storeName));
  const content = await found(into);
  await rm(into, { recursive: true });
  return content;
}

test("a log that ends anywhere has the changes that are whole in it, and no others", limit, () =>
  inStateDirectory(async (home) => {
    const store = await written(home, 6);
    const { history, log } = store;
    const ends = history.map(({ bytes }) => bytes);
    const last = ends.at(-1) as number;
    for (let length = 0; length <= last; length++) {
      const isNear = ends.some((end) => Math.abs(end - length) <= 1);
      if (!isNear && length % cutStep !== 0) continue;
      const content = await changed(store, join(home, "cut"), (directory) =>
        truncate(join(directory, log), length),
      );
      const whole = history.findLast(({ bytes }) => bytes <= length);
      assert.equal(content, whole?.content, `cut at ${length} of ${last} bytes`);
    }
  }),
);

test("a log whose last bytes are garbage has what was kept before them", limit, () =>
  inStateDirectory(async (home) => {
    const store = await written(home, 6);
    const { history, log } = store;
    const last = history.at(-1)?.bytes as number;
    await fc.assert(
      fc.asyncProperty(fc.nat(last - 1), fc.nat(), fc.boolean(), async (from, seed, all) => {
        const content = await changed(store, join(home, "garbage"), async (directory) => {
          const bytes = await readFile(join(directory, log));
          const to = all ? last : from + 1;
          for (let i = from; i < to; i++)
            bytes[i] = ((bytes[i] as number) + 1 + ((seed + i * 7) % 255)) % 256;
          await writeFile(join(directory, log), bytes);
        });
        // What follows a damaged byte is gone with it, as far as LevelDB reads on from one change to the next.
        const whole = history.findLast(({ bytes }) => bytes <= from);
        assert.equal(content, whole?.content, `garbage from ${from}`);
      }),
      { numRuns: 40 },
    );
  }),
);

test("a change that is missing between others is noticed", limit, () =>
  inStateDirectory(async (home) => {
    // LevelDB reads on at the next block of 32 KiB.
    const store = await written(home, 8, 20_000);
    const content = await changed(store, join(home, "hole"), async (directory) => {
      const bytes = await readFile(join(directory, store.log));
      bytes[100] = (bytes[100] as number) ^ 1;
      await writeFile(join(directory, store.log), bytes);
    });
    assert.equal(content, "store-damaged");
  }),
);

test(
  "whatever happens to a file of the store, a host finds what was kept at some time or says why not",
  limit,
  () =>
    inStateDirectory(async (home) => {
      const store = await written(home, 3);
      // With tables as well: what a second host has opened and closed.
      const second = await openStore(createRuntime(), store.directory);
      await second.close();
      const files = await readdir(join(store.directory, storeName));
      assert.ok(files.some((name) => name.endsWith(".ldb")));
      const contents: readonly (string | undefined)[] = store.history.map(({ content }) => content);
      const full = contents.at(-1);
      for (const file of files) {
        const path = (directory: string) => join(directory, file);
        const whole = await readFile(path(join(store.directory, storeName)));
        const damages: Record<string, (directory: string) => Promise<void>> = {
          removed: (directory) => rm(path(directory)),
          emptied: (directory) => truncate(path(directory), 0),
          halved: (directory) => truncate(path(directory), whole.length >> 1),
          garbled: (directory) =>
            writeFile(
              path(directory),
              whole.map((byte) => byte ^ 0x55),
            ),
        };
        for (const [damage, inflict] of Object.entries(damages)) {
          const outcome = await changed(store, join(home, "damaged"), inflict);
          const isRefusal = outcome === "store-damaged" || outcome === "store-unavailable";
          const ownedByNobody = /^(LOCK|LOG(\.old)?)$/.test(file);
          assert.ok(
            ownedByNobody ? outcome === full : isRefusal || contents.includes(outcome),
            `${file} ${damage}: ${outcome}`,
          );
          if (/^(CURRENT|MANIFEST.*|.*\.ldb)$/.test(file))
            assert.ok(isRefusal, `${file} ${damage}: ${outcome}`);
        }
      }
    }),
);

test("a record of nobody's, of another version or with other fields is refused by name", limit, () =>
  inStateDirectory(async (home) => {
    const guest = guestRecord(1);
    const key = `guest/${guest.id}`;
    const good = { schema: "parhelion.guest/1", place: 0, ...guest };
    const wrong: readonly (readonly [key: string, text: string, words: RegExp])[] = [
      ["else", "{}", /nothing under such a key/],
      [key, "{", /not JSON/],
      [key, "[]", /no object/],
      [key, JSON.stringify({ ...good, schema: "other/1" }), /not a guest's/],
      [key, JSON.stringify({ ...good, schema: "parhelion.slice/1" }), /not a guest's/],
      [
        key,
        JSON.stringify({ ...good, schema: "parhelion.guest/2" }),
        /version 2, this Parhelion knows version 1/,
      ],
      [key, JSON.stringify({ ...good, id: "00000002" }), /record of guest\/00000002/],
      [key, JSON.stringify({ ...good, lifetime: "x" }), /lifetime is none of connected, kept/],
      [key, JSON.stringify({ ...good, more: 1 }), /unknown field "more"/],
      [key, JSON.stringify({ ...good, credentialHash: undefined }), /credentialHash is missing/],
      [`slice/${uuidOf(1)}`, JSON.stringify({ ...good }), /not a slice's/],
      ["uuid/x", '{"schema":"parhelion.uuid/1"}', /names no UUID/],
      ["store", '{"schema":"parhelion.store/1","records":0,"generation":0}', /digest is missing/],
      [key, JSON.stringify(good), /no summary/],
    ];
    for (const [n, [at, text, words]] of wrong.entries()) {
      const directory = join(home, `${n}`);
      const table = new LevelTable(join(directory, storeName));
      await table.open();
      await table.write([{ key: at, text }]);
      await table.close();
      await assert.rejects(openStore(createRuntime(), directory), (error) => {
        assert.ok(error instanceof HostError && error.code === "store-damaged", String(error));
        assert.match(error.message, words);
        assert.ok(error.message.includes(directory) && error.message.includes("--forget-state"));
        if (at !== key || !/no summary/.test(words.source)) assert.equal(error.details["key"], at);
        return true;
      });
      await forgetStore(createRuntime(), directory);
      const store = await openStore(createRuntime(), directory);
      assert.equal(store.guests.length, 0);
      await store.close();
    }
  }),
);

test("a record that was changed, added or taken away behind the host's back is noticed", limit, () =>
  inStateDirectory(async (home) => {
    const store = await written(home, 3);
    const table = new LevelTable(join(store.directory, storeName));
    await table.open();
    const texts = new Map<string, string>();
    for await (const [key, text] of table.entries()) texts.set(key, text);
    await table.close();
    const guest = `guest/${guestRecord(1).id}`;
    const edits = [
      { key: guest, text: (texts.get(guest) as string).replace("kept", "connected") },
      { key: `uuid/${uuidOf(1)}`, text: null },
      { key: `uuid/${uuidOf(50)}`, text: texts.get(`uuid/${uuidOf(1)}`) as string },
    ];
    for (const edit of edits) {
      const outcome = await changed(store, join(home, "edited"), async (directory) => {
        const edited = new LevelTable(directory);
        await edited.open();
        await edited.write([edit]);
        await edited.close();
      });
      assert.equal(outcome, "store-damaged", edit.key);
    }
  }),
);

test("a store that a living host has open is not opened twice", limit, () =>
  inStateDirectory(async (home) => {
    const store = await openStore(createRuntime(), home);
    await assert.rejects(openStore(createRuntime(), home), { code: "host-already-running" });
    await assert.rejects(forgetStore(createRuntime(), home), { code: "host-already-running" });
    await store.close();
    await (await openStore(createRuntime(), home)).close();
  }),
);

test("a place where nothing can be written is named", limit, () =>
  inStateDirectory(async (home) => {
    await writeFile(join(home, "file"), "");
    await assert.rejects(openStore(createRuntime(), join(home, "file")), { code: "store-unavailable" });
  }),
);
