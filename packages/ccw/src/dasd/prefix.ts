/**
 * Prefix: define extent and, if it is wished, locate record extended in one command, after a word about which disk is meant. Places of
 * its fields are those that Linux' driver writes (PFX_eckd_data of dasd_eckd.h).
 */
import { defineExtent, extendedLocate } from "./control-commands.js";
import { extendedLocateSize, extendedParameters } from "./domain.js";
import { defineExtentSize } from "./extent.js";
import type { DasdIdentity } from "./identity.js";
import { commandReject } from "./sense.js";
import { type Handler, outsideDomain } from "./turn.js";

/** Format 0: define extent. Format 1: locate record extended, too. */
const formats: readonly number[] = [0, 1];
const Validity = {
  defineExtent: 0x80,
  timeStamp: 0x40,
  verifyBase: 0x20,
  hyperPav: 0x10,
  reserved: 0x0f,
} as const;
const headSize = 12;
/** With the extended parameters: a time stamp, a priority, records on a track; nobody here goes by them. */
const extentSize = 32;
const locateAt = headSize + extentSize;
/** What a program may send, however little of it counts: the channel is to see the end of its count. */
const mostBytes = 256;

/** @param identity of the disk, which a program may have verified */
export const prefix =
  (identity: DasdIdentity): Handler =>
  async (turn) => {
    outsideDomain(turn);
    const { program, data } = turn;
    if (program.bounds !== "default" || program.positioned !== "no") throw commandReject("invalidSequence");
    const bytes = (await data.receiveRest(mostBytes)).slice();
    if (bytes.length < locateAt) throw commandReject("countTooSmall");
    const [format = 0, validity = 0, unitAddress, , subsystem] = bytes;
    const meant = unitAddress === identity.unitAddress && subsystem === (identity.subsystem & 0xff);
    if (
      !formats.includes(format) ||
      (validity & Validity.reserved) !== 0 ||
      (validity & Validity.defineExtent) === 0 ||
      // An alias of the disk: there is none.
      (validity & Validity.hyperPav) !== 0 ||
      ((validity & Validity.verifyBase) !== 0 && !meant)
    )
      throw commandReject("invalidParameter");
    const locate = bytes.subarray(locateAt);
    if (format === 1) {
      if (locate.length < extendedLocateSize) throw commandReject("countTooSmall");
      if (locate.length < extendedLocateSize + extendedParameters(locate))
        throw commandReject("countTooSmall");
    }
    defineExtent(turn, bytes.subarray(headSize, headSize + defineExtentSize));
    return format === 1 ? extendedLocate(turn, locate) : 0;
  };
