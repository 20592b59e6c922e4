/**
 * The hardware under the proofs: one subchannel, as little of it as the drivers can tell. Each instruction is one step, and
 * each status is presented by an interruption of its own task, while the subchannel is enabled.
 */
import {
  Actl,
  type ConditionCode,
  type Crw,
  type CssMachine,
  Dstat,
  Fctl,
  type Interruption,
  type Irb,
  irb as irbLayout,
  type Orb,
  type Schib,
  Stctl,
  type SubchannelId,
  schib as schibLayout,
} from "parhelion-buses";
import type { World } from "parhelion-explorer";

export const stageId: SubchannelId = { cssid: 0, ssid: 0, schno: 1 };
export const stageChpid = 0x40;

type Activity = "none" | "active" | "status pending";

export class StageMachine implements CssMachine {
  readonly name = "subchannel hardware";
  readonly #world: World;
  /** "never": the device does not answer a halt or clear. */
  readonly #stops: "as asked" | "never";
  #schib: Schib;
  #present = true;
  #activity: Activity = "none";
  #status: Irb = irbLayout.make({});
  #handler: ((interruption: Interruption) => void | Promise<void>) | null = null;
  #interruptions = 0;
  /** How often a channel program was started. */
  starts = 0;

  constructor(world: World, stops: "as asked" | "never" = "as asked", qf: 0 | 1 = 0) {
    this.#world = world;
    this.#stops = stops;
    const chpid = new Uint8Array(8);
    chpid[0] = stageChpid;
    this.#schib = schibLayout.make({
      pmcw: {
        ...schibLayout.make({}).pmcw,
        dnv: 1,
        dev: 0x100,
        pim: 0x80,
        pam: 0x80,
        pom: 0xff,
        lpum: 0x80,
        chpid,
        qf,
      },
    });
  }

  get enabled(): boolean {
    this.#world.reads(this);
    return this.#present && this.#schib.pmcw.ena === 1;
  }

  get active(): boolean {
    this.#world.reads(this);
    return this.#activity === "active";
  }

  /** What runs comes to its end. */
  finish(): void {
    this.#world.writes(this);
    if (this.#activity === "active")
      this.#conclude(Fctl.START, Dstat.CHN_END | Dstat.DEV_END, Stctl.PRIM | Stctl.SEC);
  }

  /** What runs has something to say on the way. */
  report(): void {
    this.#world.writes(this);
    if (this.#activity !== "active") return;
    const scsw = { ...irbLayout.make({}).scsw, fctl: Fctl.START, stctl: Stctl.PEND | Stctl.INTER };
    this.#status = irbLayout.make({ scsw: { ...scsw, actl: Actl.SCHACT | Actl.DEVACT } });
    this.#present_("active");
  }

  /** The device speaks up by itself. */
  raise(): void {
    this.#world.writes(this);
    if (this.#activity !== "none" || this.#schib.pmcw.ena === 0) return;
    this.#conclude(0, Dstat.ATTENTION, Stctl.ALERT);
  }

  /** The device is pulled out. */
  vanish(): void {
    this.#world.writes(this);
    this.#present = false;
    this.#activity = "none";
  }

  provided(): readonly SubchannelId[] {
    this.#world.reads(this);
    return this.#present ? [stageId] : [];
  }

  stsch(): { readonly cc: 0 | 3; readonly schib: Schib | null } {
    this.#world.reads(this);
    return this.#present ? { cc: 0, schib: this.#schib } : { cc: 3, schib: null };
  }

  msch(_id: SubchannelId, { pmcw: { ena, isc, intparm } }: Schib): ConditionCode {
    this.#world.writes(this);
    if (!this.#present) return 3;
    if (this.#pending) return 1;
    if (this.#activity !== "none") return 2;
    this.#schib = { ...this.#schib, pmcw: { ...this.#schib.pmcw, ena, isc, intparm } };
    return 0;
  }

  ssch(_id: SubchannelId, _orb: Orb): ConditionCode {
    this.#world.writes(this);
    if (!this.#present || this.#schib.pmcw.ena === 0) return 3;
    if (this.#pending) return 1;
    if (this.#activity !== "none") return 2;
    this.#activity = "active";
    this.starts += 1;
    this.#act(Fctl.START, Actl.SCHACT | Actl.DEVACT, 0);
    return 0;
  }

  tsch(): { readonly cc: 0 | 1 | 3; readonly irb: Irb | null } {
    this.#world.writes(this);
    if (!this.#present) return { cc: 3, irb: null };
    if (!this.#pending) return { cc: 1, irb: null };
    const irb = this.#status;
    const goesOn = (irb.scsw.actl & Actl.SCHACT) !== 0;
    this.#activity = goesOn ? "active" : "none";
    this.#act(goesOn ? Fctl.START : 0, irb.scsw.actl, 0);
    return { cc: 0, irb };
  }

  hsch(): ConditionCode {
    this.#world.writes(this);
    if (!this.#present) return 3;
    if (this.#pending) return 1;
    if (this.#stops === "as asked") this.#conclude(Fctl.HALT, 0, 0);
    return 0;
  }

  csch(): 0 | 3 {
    this.#world.writes(this);
    if (!this.#present) return 3;
    if (this.#stops === "as asked") this.#conclude(Fctl.CLEAR, 0, 0);
    return 0;
  }

  rsch(): ConditionCode {
    return 2;
  }

  xsch(): ConditionCode {
    return 2;
  }

  stcrw(): Crw | null {
    return null;
  }

  enableSubclasses(): void {}

  onInterruption(handler: ((interruption: Interruption) => void | Promise<void>) | null): void {
    this.#world.writes(this);
    this.#handler = handler;
  }

  onChannelReport(): void {}

  get #pending(): boolean {
    return (this.#schib.scsw.stctl & Stctl.PEND) !== 0;
  }

  #conclude(fctl: number, dstat: number, stctl: number): void {
    const scsw = { ...irbLayout.make({}).scsw, fctl, dstat, stctl: Stctl.PEND | stctl };
    this.#status = irbLayout.make({ scsw });
    this.#present_("status pending");
  }

  #present_(activity: Activity): void {
    this.#activity = activity;
    const { fctl, actl, stctl } = this.#status.scsw;
    this.#act(fctl, actl, stctl);
    const handler = this.#handler;
    if (handler === null || this.#schib.pmcw.ena === 0) return;
    this.#interruptions += 1;
    const { intparm, isc } = this.#schib.pmcw;
    this.#world.runtime.scheduler.spawn(`interruption ${this.#interruptions}`, async () => {
      await handler({ id: stageId, intparm, isc });
    });
  }

  #act(fctl: number, actl: number, stctl: number): void {
    this.#schib = { ...this.#schib, scsw: { ...this.#schib.scsw, fctl, actl, stctl } };
  }
}
