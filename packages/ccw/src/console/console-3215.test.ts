import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { describe, it } from "node:test";
import { Cstat, Dstat } from "parhelion-buses";
import { ConsoleRig, dataAt } from "./console.test.fixture.js";
import { maxLines } from "./console-3215.js";
import { maxLineLetters } from "./line-editor.js";
import { keptLimit, Paper } from "./paper.js";

const done = Dstat.CHN_END | Dstat.DEV_END;

describe("a 3215", () => {
  it("prints what is written, new lines where the data has them", async () => {
    const rig = new ConsoleRig();
    const { dstat, cstat, count } = await rig.write("HELLO [0]\nworld\n");
    assert.deepEqual({ dstat, cstat, count }, { dstat: done, cstat: 0, count: 0 });
    await rig.settle(() => rig.seen.endsWith("world\r\n"));
    assert.equal(rig.seen, "HELLO [0]\r\nworld\r\n");
  });

  it("returns the carriage after a write that asks for it", async () => {
    const rig = new ConsoleRig();
    await rig.write("one", 0x09);
    await rig.write("two", 0x01);
    await rig.settle(() => rig.seen.endsWith("two"));
    assert.equal(rig.seen, "one\r\ntwo");
  });

  it("prints blanks for what would command the terminal", async () => {
    const rig = new ConsoleRig();
    await rig.write("a\x1b[2Jb\x07");
    await rig.settle(() => rig.seen.length === 7);
    assert.equal(rig.seen, "a [2Jb ");
  });

  it("announces a typed line with attention and gives it to a read inquiry", async () => {
    const rig = new ConsoleRig();
    rig.terminal.write("logon é\r\n");
    await rig.settle(() => rig.attentions.length > 0);
    assert.deepEqual(rig.attentions, [Dstat.ATTENTION]);
    const { dstat, cstat, count } = await rig.run(0x0a, 160);
    assert.deepEqual({ dstat, cstat, count }, { dstat: done, cstat: 0, count: 153 });
    assert.equal(rig.text(7), "logon é");
    assert.equal(rig.seen, "logon é\r\n");
  });

  it("lets a read inquiry wait for the operator, without attention", async () => {
    const rig = new ConsoleRig();
    const read = rig.run(0x0a, 160);
    rig.terminal.write("yes\n");
    assert.equal((await read).count, 157);
    assert.equal(rig.text(3), "yes");
    assert.deepEqual(rig.attentions, []);
  });

  it("ends a read that is halted, and keeps the next line for the next read", async () => {
    const rig = new ConsoleRig();
    const program = rig.program(0x0a, 160);
    const run = program.run();
    await new Promise((resolve) => setImmediate(resolve));
    program.stop("halt");
    assert.equal((await run).state, "stopped");
    rig.terminal.write("later\n");
    await rig.settle(() => rig.attentions.length > 0);
    assert.equal((await rig.run(0x0a, 5, 0)).cstat, 0);
    assert.equal(rig.text(5), "later");
  });

  it("announces the second of two lines when the first was read", async () => {
    const rig = new ConsoleRig();
    rig.terminal.write("one\ntwo\n");
    await rig.settle(() => rig.attentions.length === 2);
    await rig.run(0x0a, 160);
    assert.equal(rig.attentions.length, 3);
    await rig.run(0x0a, 160);
    assert.equal(rig.attentions.length, 3);
    assert.equal(rig.text(3), "two");
  });

  it("says that a line was longer than the count", async () => {
    const rig = new ConsoleRig();
    rig.terminal.write("abcdef\n");
    await rig.settle(() => rig.attentions.length > 0);
    const { cstat, count } = await rig.run(0x0a, 4, 0);
    assert.deepEqual({ cstat, count }, { cstat: Cstat.INCORR_LEN, count: 0 });
    assert.equal(rig.text(4), "abcd");
    assert.equal(rig.storage.bytes[dataAt + 4], 0);
  });

  it("rubs out, and rings for what is too long or too many", async () => {
    const rig = new ConsoleRig();
    rig.terminal.write(`x\x7f\x7fab\bc${"-".repeat(maxLineLetters)}\r`);
    await rig.settle(() => rig.attentions.length > 0);
    const { count } = await rig.run(0x0a, 300);
    assert.equal(300 - count, maxLineLetters);
    assert.equal(rig.text(4), "ac--");
    const bells = () => rig.seen.split("\x07").length - 1;
    assert.equal(bells(), 2);
    rig.terminal.write("line\n".repeat(maxLines + 1));
    await rig.settle(() => bells() === 3);
    assert.equal(rig.attentions.length, 1 + maxLines);
  });

  it("tells what it is", async () => {
    const rig = new ConsoleRig();
    const { cstat, count } = await rig.run(0xe4, 7, 0);
    assert.deepEqual({ cstat, count }, { cstat: 0, count: 0 });
    assert.deepEqual(
      [...rig.storage.bytes.subarray(dataAt, dataAt + 7)],
      [0xff, 0x32, 0x15, 0, 0x32, 0x15, 0],
    );
  });

  it("rejects a command it does not have, and tells why until the next command", async () => {
    const rig = new ConsoleRig();
    const { dstat, sense } = await rig.run(0x02, 1);
    assert.equal(dstat, done | Dstat.UNIT_CHECK);
    assert.deepEqual([...(sense ?? [])], [0x80]);
    await rig.run(0x04, 1, 0);
    assert.equal(rig.storage.bytes[dataAt], 0x80);
    assert.equal((await rig.run(0x03, 0, 0)).dstat, done);
    await rig.run(0x04, 1, 0);
    assert.equal(rig.storage.bytes[dataAt], 0);
  });

  it("keeps what is printed while no terminal is there, the newest of it", async () => {
    const rig = new ConsoleRig();
    rig.terminal.destroy();
    await rig.settle(() => rig.terminal.closed);
    await new Promise((resolve) => setImmediate(resolve));
    const line = `${"=".repeat(1022)}\n`;
    for (let count = 0; count < 100; count += 1) await rig.write(line);
    await rig.write("the last one\n");
    rig.plug();
    await rig.settle(() => rig.seen.endsWith("the last one\r\n"));
    assert.ok(rig.seen.length <= keptLimit);
    assert.ok(rig.seen.length > keptLimit - 2000);
  });

  it("keeps the newest part of what is longer than all that is kept", async () => {
    const [here, there] = duplexPair();
    const paper = new Paper();
    paper.print("before");
    paper.print(`${"=\n".repeat(keptLimit)}the end`);
    paper.feed(there);
    let seen = "";
    for await (const bytes of here) {
      seen += String(bytes);
      if (seen.endsWith("the end")) break;
    }
    assert.equal(seen.length, keptLimit);
  });

  it("forgets lines and sense at a reset", async () => {
    const rig = new ConsoleRig();
    rig.terminal.write("old\n");
    await rig.settle(() => rig.attentions.length > 0);
    rig.console.reset();
    const read = rig.run(0x0a, 160);
    rig.terminal.write("new\n");
    await read;
    assert.equal(rig.text(3), "new");
  });
});
