/** Eventfds that somebody else has as well. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { closeFd, createEventfd, createFullEventfd, signalled } from "../client.test.fixture.js";
import { withDescriptors } from "../questions.test.fixture.js";
import { Native } from "./native.js";

test("signals add up, and one that is full keeps nobody waiting", () => {
  const native = new Native(withDescriptors.koffi);
  native.prepareToSignal();
  const [own, full] = [createEventfd(), createFullEventfd()];
  for (let i = 0; i < 100; i += 1) native.signal(own);
  assert.equal(signalled(own), 100n);
  for (let i = 0; i < 3; i += 1) native.signal(full);
  assert.ok(signalled(full) >= 2n ** 64n - 2n);
  native.end();
  native.signal(own);
  assert.equal(signalled(own), 0n);
  native.end();
  for (const fd of [own, full]) closeFd(fd);
});
