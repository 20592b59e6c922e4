/** Channel programs run through nothing but a vfio-user socket, one CCW each, as a guest's driver of a console does. */
import assert from "node:assert/strict";
import { CcwFlag, ccw1, Dstat, Fctl, irb, orb, type Scsw, Stctl, scsw } from "parhelion-buses";
import { fromEbcdic, IO_REGION, toEbcdic, VFIO_CCW_REGION } from "parhelion-ccw";
import { until } from "../command.test.fixture.js";
import { VfioClient } from "../vfio/client.test.fixture.js";

const dataAt = 0x1000;
const inputLength = 160;

export class ConsoleDriver {
  readonly client: VfioClient;
  readonly #memory = Buffer.alloc(0x2000);
  /** Of statuses that told of nothing else. */
  attentions = 0;

  private constructor(client: VfioClient) {
    this.client = client;
  }

  static async connect(socket: string): Promise<ConsoleDriver> {
    const driver = new ConsoleDriver(await VfioClient.connect(socket));
    await driver.client.lend(driver.#memory);
    return driver;
  }

  /** Prints text, with a new line where it has one. */
  async write(text: string): Promise<void> {
    const bytes = toEbcdic(text.replaceAll("\n", "\x85"));
    this.#memory.set(bytes, dataAt);
    assert.equal((await this.#run(0x01, bytes.length)).dstat, Dstat.CHN_END | Dstat.DEV_END);
  }

  /** Waits for a line. */
  async read(): Promise<string> {
    const { dstat, count } = await this.#run(0x0a, inputLength);
    assert.equal(dstat, Dstat.CHN_END | Dstat.DEV_END);
    return fromEbcdic(this.#memory.subarray(dataAt, dataAt + inputLength - count));
  }

  /** Waits until the operator has called. */
  async attention(): Promise<void> {
    const before = this.attentions;
    await until("attention is presented", async () => {
      await this.#collect();
      return this.attentions > before;
    });
  }

  async #run(cmd: number, count: number): Promise<Scsw> {
    this.#memory.set(ccw1.encode({ cmd, count, cda: dataAt, flags: CcwFlag.SLI }));
    const request = Buffer.alloc(IO_REGION.orb.bytes + IO_REGION.scsw.bytes);
    request.set(orb.encode({ fmt: 1, pfch: 1, lpm: 0xff }), IO_REGION.orb.offset);
    request.set(scsw.encode({ fctl: Fctl.START }), IO_REGION.scsw.offset);
    await until("the program is taken", async () => {
      try {
        await this.client.write(VFIO_CCW_REGION.io, 0, request);
        return true;
      } catch (error) {
        // EAGAIN, EBUSY: a status is being told.
        assert.match((error as Error).message, /^errno (11|16)$/);
        await this.#collect();
        return false;
      }
    });
    const ended: Scsw[] = [];
    await until("the program has ended", async () => {
      const status = await this.#collect();
      if (status !== null) ended.push(status);
      return status !== null;
    });
    return ended[0] as Scsw;
  }

  /** @returns the status of what was started, if it has ended */
  async #collect(): Promise<Scsw | null> {
    const { offset, bytes } = IO_REGION.irb;
    const status = irb.decode(await this.client.read(VFIO_CCW_REGION.io, offset, bytes)).scsw;
    if ((status.stctl & Stctl.PEND) === 0) return null;
    if ((status.dstat & Dstat.ATTENTION) !== 0) this.attentions += 1;
    return (status.stctl & Stctl.PRIM) === 0 ? null : status;
  }
}
