/** The channel subsystem's structures, as they stand in storage. */
export {
  type Crw,
  crw,
  Erc,
  type Esw,
  erw,
  esw,
  type Irb,
  irb,
  Rsc,
} from "./interruption.js";
export { type Ccw0, type Ccw1, CcwFlag, ccw0, ccw1, type Orb, orb } from "./program.js";
export type { Field, Structure } from "./structure.js";
export {
  Actl,
  Cstat,
  Dstat,
  Fctl,
  type Pmcw,
  pmcw,
  type Schib,
  type Scsw,
  Stctl,
  SubchannelType,
  schib,
  scsw,
} from "./subchannel.js";
