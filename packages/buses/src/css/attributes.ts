/** What a subchannel shows of itself in the tree, in Linux's words (drivers/s390/cio/css.c). */
import { type Attribute, noDeadline } from "parhelion-core";
import type { Pmcw } from "./layout/index.js";
import type { Subchannel } from "./subchannel.js";

const hex = (value: number): string => value.toString(16).padStart(2, "0");

export function modaliasOf({ type }: Subchannel): string {
  return `css:t${type.toString(16).toUpperCase()}`;
}

function ofPmcw(name: string, show: (pmcw: Pmcw) => string): Attribute<Subchannel> {
  return {
    name,
    async show(subchannel) {
      const read = () => subchannel.schib.pmcw;
      return `${show(await subchannel.lock.withLock(read, { deadline: noDeadline }))}\n`;
    },
  };
}

export const subchannelAttributes: readonly Attribute<Subchannel>[] = [
  { name: "type", show: ({ type }) => `${hex(type)}\n` },
  { name: "modalias", show: (subchannel) => `${modaliasOf(subchannel)}\n` },
  ofPmcw("chpids", ({ pim, chpid }) =>
    Array.from(chpid, (id, at) => hex((pim & (0x80 >> at)) === 0 ? 0 : id)).join(" "),
  ),
  ofPmcw("pimpampom", ({ pim, pam, pom }) => [pim, pam, pom].map(hex).join(" ")),
];
