import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuntime, KernelError } from "parhelion-core";
import { decodeHeader, headerBytes } from "../wire/header.js";
import { Questions } from "./questions.js";

function asking(patienceMs = 60_000) {
  const sent: Uint8Array[] = [];
  const states: string[] = [];
  const questions: Questions = new Questions(
    createRuntime(),
    (bytes) => sent.push(bytes),
    patienceMs,
    () => states.push(questions.state),
  );
  const answer = (message: Uint8Array): boolean => {
    const header = decodeHeader(message);
    const body = message.slice(headerBytes);
    return questions.answer({ header: { ...header, type: "reply" }, body, fds: [], descriptors: "all" });
  };
  return { questions, sent, states, answer };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await null;
}

test("however many questions there are at once, each is asked and answered, and few are open at a time", async () => {
  const { questions, sent, states, answer } = asking();
  const asked = Array.from({ length: 1000 }, (_, i) =>
    questions.ask("DMA_READ", Uint8Array.of(i & 0xff, i >> 8), 4096),
  );
  let most = 0;
  for (let done = 0; done < 1000; ) {
    await turns();
    most = Math.max(most, sent.length);
    assert.ok(sent.length > 0);
    for (const message of sent.splice(0)) {
      assert.ok(answer(message));
      done += 1;
    }
  }
  const bodies = await Promise.all(asked);
  for (const [i, body] of bodies.entries()) assert.deepEqual([...body], [i & 0xff, i >> 8]);
  assert.equal(most, 256);
  assert.deepEqual([states[0], states.at(-1)], ["asked", "idle"]);
});

test("no more bytes are under way than are said, and one question is always asked", async () => {
  const { questions, sent, answer } = asking();
  const large = 100 * 1024 * 1024;
  const asked = [1, 2, 3].map(() => questions.ask("DMA_READ", new Uint8Array(0), large));
  for (let i = 0; i < 3; i++) {
    await turns();
    assert.equal(sent.length, 1);
    answer(sent.pop() as Uint8Array);
  }
  await Promise.all(asked);
});

test("questions whose turn does not come in time, or comes after the end, fail", async () => {
  const { questions } = asking(20);
  const asked = Array.from({ length: 300 }, () => questions.ask("DMA_READ", new Uint8Array(0), 1));
  for (const one of await Promise.allSettled(asked)) assert.equal(one.status, "rejected");
  const later = asking();
  const more = Array.from({ length: 300 }, () => later.questions.ask("DMA_READ", new Uint8Array(0), 1));
  const heard = Promise.allSettled(more);
  await turns();
  later.questions.end(new KernelError("ENODEV", "it has gone"));
  for (const one of await heard) assert.equal(one.status === "rejected" && one.reason.code, "ENODEV");
  await later.questions.settled();
});
