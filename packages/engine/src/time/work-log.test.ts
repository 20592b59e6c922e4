import assert from "node:assert/strict";
import { test } from "node:test";
import { InterfaceKind, ObjectTable, Opcode } from "parhelion-protocol";
import { describeWork } from "./describe-work.js";
import { type Work, WorkLog } from "./work-log.js";

const ENCODER = 10;
const PASS = 11;

interface Recorder {
  readonly log: WorkLog;
  say(opcode: number, ...words: number[]): void;
  finish(): readonly Work[];
}

function recorder(): Recorder {
  const objects = new ObjectTable();
  objects.put(PASS, InterfaceKind.GPUComputePassEncoder, { label: "blur" });
  objects.put(20, InterfaceKind.GPUComputePipeline, { label: "horizontal" });
  objects.put(21, InterfaceKind.GPUComputePipeline, { label: "" });
  const log = new WorkLog(objects);
  const say = (opcode: number, ...words: number[]): void =>
    log.observe(Uint32Array.from([8, opcode, ...words]), 0);
  return {
    log,
    say,
    finish: () => {
      const buffer = {};
      say(Opcode.commandEncoderFinish, ENCODER, 30);
      log.finished(buffer);
      return log.workOf([buffer]);
    },
  };
}

test("the one dispatch of a submission is named with its counts, pass and pipeline", () => {
  const { say, finish } = recorder();
  say(Opcode.commandEncoderBeginComputePass, ENCODER, PASS);
  say(Opcode.computePassEncoderSetPipeline, PASS, 20);
  say(Opcode.computePassEncoderDispatchWorkgroups, PASS, 4, 5, 6);
  assert.equal(
    describeWork(finish()),
    'It is dispatchWorkgroups(4, 5, 6), command 0 of compute pass "blur", with pipeline "horizontal"',
  );
});

test("of many the heaviest are listed first, and what is left is counted", () => {
  const { say, finish } = recorder();
  say(Opcode.commandEncoderBeginComputePass, ENCODER, PASS);
  for (let size = 1; size <= 100; size++) {
    say(Opcode.computePassEncoderSetPipeline, PASS, 21);
    say(Opcode.computePassEncoderDispatchWorkgroups, PASS, size, 1, 1);
  }
  say(Opcode.computePassEncoderDispatchWorkgroupsIndirect, PASS, 1);
  assert.match(
    describeWork(finish(), 2),
    /^It is one of 101 dispatches and draws, the heaviest first: dispatchWorkgroupsIndirect\(\), command 100 .* without a label; dispatchWorkgroups\(100, 1, 1\), command 99 .*; and 99 more$/,
  );
});

test("draws count vertices times instances, and a submission without work says so", () => {
  const { log, say, finish } = recorder();
  say(Opcode.commandEncoderBeginRenderPass, ENCODER, 40);
  say(Opcode.renderPassEncoderDraw, 40, 3, 1000);
  say(Opcode.renderPassEncoderDrawIndexed, 40, 6, 1);
  say(Opcode.renderPassEncoderEnd, 40);
  say(Opcode.renderPassEncoderDraw, 40, 9, 9);
  assert.match(describeWork(finish()), /^It is one of 2 .*: draw\(3, 1000\), command 0 of a render pass/);
  assert.match(describeWork(log.workOf([{}])), /only copies/);
});
