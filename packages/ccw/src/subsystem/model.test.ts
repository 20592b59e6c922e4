import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Actl, CcwFlag, Dstat, Fctl, type Scsw, Stctl } from "parhelion-buses";
import { control, Rig } from "./machine.test.fixture.js";
import { type Operation, operations, type Seen, SubchannelModel } from "./model.test.fixture.js";

/** These come from beside the subchannel, at a moment when nothing of it is on its way. */
const outside: readonly Operation[] = ["device ends", "path goes", "path comes", "hsch", "time passes"];

function createRig(): Rig {
  const rig = new Rig();
  rig.program([control, CcwFlag.SLI], [control, CcwFlag.SLI | CcwFlag.SUSPEND]);
  rig.device.mode = "waits";
  return rig;
}

function perform(rig: Rig, operation: Operation): number | null {
  const { css, id } = rig;
  switch (operation) {
    case "ssch":
      return rig.start({ isic: 1, spnd: 1 });
    case "ssch suspending":
      return rig.start({ isic: 1, spnd: 1, cpa: 0x1008 });
    case "hsch":
    case "csch":
    case "rsch":
    case "xsch":
      return css[operation](id);
    case "tsch":
      return css.tsch(id).cc;
    case "disable":
      return rig.modify({ ena: 0 });
    case "enable":
      return rig.modify({ ena: 1 });
    case "time passes":
      return null;
    case "device ends":
      rig.device.end();
      return null;
    case "device calls":
      rig.device.line?.unsolicited(Dstat.ATTENTION);
      return null;
    case "path goes":
      css.path(0x40).configure("offline");
      return null;
    case "path comes":
      css.path(0x40).configure("online");
      return null;
  }
}

function seenOf({ fctl, actl, stctl, cc }: Scsw): Seen {
  return { fctl, actl, stctl, cc };
}

/** What holds of every status word, whatever led to it. */
function assertInvariants({ fctl, actl, stctl }: Scsw): void {
  if ((fctl & Fctl.CLEAR) !== 0) assert.equal(fctl, Fctl.CLEAR, "a clear has nothing beside it");
  if ((actl & Actl.CLEAR_PEND) !== 0) assert.equal(actl, Actl.CLEAR_PEND);
  if ((actl & (Actl.START_PEND | Actl.RESUME_PEND | Actl.SUSPENDED)) !== 0) assert.ok(fctl & Fctl.START);
  if ((actl & Actl.HALT_PEND) !== 0) assert.ok(fctl & Fctl.HALT);
  if ((actl & Actl.SCHACT) !== 0) assert.equal(actl & (Actl.SUSPENDED | Actl.START_PEND), 0);
  if (stctl !== 0) assert.ok(stctl & Stctl.PEND, "status bits are there only while status is pending");
  if ((stctl & (Stctl.PRIM | Stctl.SEC)) === (Stctl.PRIM | Stctl.SEC)) assert.equal(actl & Actl.SCHACT, 0);
}

test("whatever is asked in whatever order, a subchannel answers and looks as the model says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...operations), { maxLength: 25 }), async (asked) => {
      const rig = createRig();
      const model = new SubchannelModel();
      const settle = async (): Promise<void> => {
        await rig.quiet();
        model.pass();
      };
      for (const [at, operation] of asked.entries()) {
        if (outside.includes(operation)) await settle();
        const answer = perform(rig, operation);
        const where = `${operation} at ${at}`;
        assert.equal(answer, model.apply(operation), `condition code of ${where}`);
        if (outside.includes(operation) && operation !== "hsch") await settle();
        assert.deepEqual(seenOf(rig.scsw), model.seen, `status after ${where}`);
        assertInvariants(rig.scsw);
      }
    }),
    { numRuns: 300 },
  );
});

test("every status that becomes pending interrupts once, until it is collected", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...operations), { maxLength: 25 }), async (asked) => {
      const rig = createRig();
      let collected = 0;
      for (const operation of asked) {
        const before = rig.interruptions.length;
        const pending = (rig.scsw.stctl & Stctl.PEND) !== 0;
        const answer = perform(rig, operation);
        if (operation === "tsch" && answer === 0) collected += 1;
        await rig.quiet();
        if (pending && operation !== "tsch" && operation !== "csch" && operation !== "hsch") {
          // More may be added to a status; it interrupts again only when the former interruption was taken.
          assert.ok(rig.interruptions.length - before <= 1, operation);
        }
        if (!pending && (rig.scsw.stctl & Stctl.PEND) !== 0) assert.ok(rig.interruptions.length > before);
        if ((rig.scsw.stctl & Stctl.PEND) === 0 && !["tsch", "csch", "hsch"].includes(operation)) {
          assert.equal(rig.interruptions.length, before, `${operation} interrupts for nothing`);
        }
      }
      assert.ok(collected <= rig.interruptions.length);
    }),
    { numRuns: 200 },
  );
});
