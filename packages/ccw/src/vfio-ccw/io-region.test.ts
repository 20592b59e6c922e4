import assert from "node:assert/strict";
import { test } from "node:test";
import { type Irb, irb as irbLayout, Stctl, scsw as scswLayout } from "parhelion-buses";
import { createRuntime } from "parhelion-core";
import { IO_REGION } from "./abi.js";
import { IoRegion, maxUnread } from "./io-region.js";

const { irb, scsw } = IO_REGION;
const senseAt = irbLayout.size - 32;

/** A status with one byte of sense. */
function status(sense: number): Irb {
  const made = irbLayout.make({ ecw: Uint8Array.of(sense, ...new Uint8Array(31)) });
  return { ...made, scsw: scswLayout.make({ stctl: Stctl.PEND | Stctl.ALERT }) };
}

function setup() {
  let signals = 0;
  const region = new IoRegion(createRuntime({ log: () => undefined }), "a test", () => {
    signals += 1;
  });
  const word = () => scswLayout.decode(region.read(irb.offset, scsw.bytes));
  const sense = () => region.read(irb.offset + senseAt, 1)[0];
  const come = (one: number): void => {
    region.add(status(one));
    region.show();
  };
  return { region, word, sense, come, signals: () => signals };
}

test("a status that is read in pieces is one status, also when another one waits", () => {
  const { word, sense, come, signals } = setup();
  come(1);
  come(2);
  assert.equal(signals(), 1);
  assert.notEqual(word().stctl, 0);
  assert.equal(signals(), 2);
  assert.equal(sense(), 1);
  assert.notEqual(word().stctl, 0);
  assert.equal(sense(), 2);
  assert.equal(word().stctl, 0);
  assert.equal(signals(), 2);
});

test("a status word that is read byte by byte is taken with its last one", () => {
  const { region, come, signals } = setup();
  come(1);
  come(2);
  for (let at = 0; at < scsw.bytes; at += 1) {
    assert.equal(signals(), 1);
    region.read(irb.offset + at, 1);
  }
  assert.equal(signals(), 2);
});

test("of too many statuses the newest stay, each signalled once", () => {
  const { word, sense, come, signals } = setup();
  for (let one = 1; one <= maxUnread + 5; one += 1) come(one);
  const seen: (number | undefined)[] = [];
  while (word().stctl !== 0) seen.push(sense());
  assert.equal(seen.length, maxUnread);
  assert.equal(seen.at(-1), maxUnread + 5);
  assert.equal(signals(), maxUnread);
});
