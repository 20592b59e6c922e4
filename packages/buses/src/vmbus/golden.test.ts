import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { NtStatus, vmbusMessage } from "parhelion-protocol";
import {
  commandSpaces,
  type GoldenFrame,
  linkOn,
  messagesOf,
  PROCESS,
  RELID,
  TRANSACTION,
  Wire,
} from "./golden.test.fixture.js";
import { decodePacket } from "./packet.js";

const directory = new URL("../../golden/", import.meta.url);
const recordings = readdirSync(directory)
  .filter((name) => /^frames-\d+\.golden\.json$/.test(name))
  .map((name) => JSON.parse(readFileSync(new URL(name, directory), "utf8")) as readonly GoldenFrame[]);

const plain = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** What the link makes of a frame that comes byte by byte. */
async function receive(
  bytes: Uint8Array,
): Promise<readonly [kind: string, number: number, rest: Uint8Array]> {
  const wire = new Wire();
  try {
    return await new Promise((resolve, reject) => {
      linkOn(wire, {
        message: (type, body) => resolve(["message", type, body]),
        packet: (relid, packet) => resolve(["packet", relid, packet]),
        closed: reject,
      });
      for (const byte of bytes) wire.push(Uint8Array.of(byte));
    });
  } finally {
    wire.destroy();
  }
}

test("recorded frames between guest and host are still read as they were meant", async () => {
  for (const frames of recordings) {
    for (const { space, name, type, part, slice, generation, body, bytes } of frames) {
      const where = `${space}.${name} ${part}`;
      const [kind, number, rest] = await receive(Buffer.from(bytes, "hex"));
      if (part === "message") {
        assert.deepEqual([kind, number, plain(rest)], ["message", type, body], where);
        continue;
      }
      assert.deepEqual([kind, number], ["packet", RELID], where);
      const packet = decodePacket(rest);
      const whose = slice === undefined ? null : { slice, generation: BigInt(generation ?? 0) };
      assert.deepEqual(packet.identity, whose, where);
      if (packet.kind === "completion") {
        const status = part === "reply" ? NtStatus.SUCCESS : NtStatus.QUOTA_EXCEEDED;
        assert.deepEqual(
          [packet.transaction, packet.status, plain(packet.body)],
          [TRANSACTION, status, body],
          where,
        );
        continue;
      }
      assert.equal(packet.kind, part === "notice" ? "message" : "request", where);
      if (packet.kind === "request") assert.equal(packet.transaction, TRANSACTION, where);
      const { process, channelType, type: number_, body: carried } = packet.command;
      assert.deepEqual(
        [process, channelType, number_, plain(carried)],
        [PROCESS, commandSpaces[space]?.[0], type, body],
        where,
      );
    }
  }
});

test("every VMBus message and every command is in a recording, with its number", () => {
  const recorded = new Set(
    recordings.flat().map(({ space, name, type, part }) => `${space}.${name} ${type} ${part}`),
  );
  const tables = Object.entries(commandSpaces).map(([space, [, table]]) => [space, table] as const);
  for (const [space, table] of [["vmbusMessage", vmbusMessage] as const, ...tables]) {
    for (const { name, type, reply } of messagesOf(table)) {
      const oneWay = space === "vmbusMessage" ? "message" : "notice";
      for (const part of reply === undefined ? [oneWay] : ["request", "reply", "refusal"])
        assert.ok(recorded.has(`${space}.${name} ${type} ${part}`), `${space}.${name} ${type} ${part}`);
    }
  }
});
