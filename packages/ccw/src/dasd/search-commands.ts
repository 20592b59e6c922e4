/** Commands that compare what passes the head with what the program says; status modifier lets the channel skip the next command. */
import { Dstat } from "parhelion-buses";
import { encodeTrack } from "../image/track.js";
import { countBytes } from "./read-commands.js";
import { domainOf, type Handler, type Handlers, outsideDomain, severalTracks, type Turn } from "./turn.js";

type Relation = "equal" | "high" | "equal-or-high";

/** high: what is on the disk is higher than the argument. A short argument is compared as far as it goes. */
function satisfied(relation: Relation, onDisk: Uint8Array, argument: Uint8Array): boolean {
  if (argument.length === 0) return false;
  const order = Buffer.compare(onDisk.subarray(0, argument.length), argument);
  if (relation === "equal") return order === 0;
  return relation === "high" ? order > 0 : order >= 0;
}

const searchId =
  (relation: Relation): Handler =>
  async (turn) => {
    outsideDomain(turn);
    const record = await turn.arm.next(searching(turn, "counts"), turn.program.extent, domainOf(turn));
    const argument = await turn.data.receive(5);
    if (!satisfied(relation, countBytes(record).subarray(0, 5), argument)) return 0;
    turn.program.found = relation === "equal" && argument.length === 5 ? "id" : "nothing";
    return Dstat.STAT_MOD;
  };

const searchKey =
  (relation: Relation): Handler =>
  async (turn) => {
    outsideDomain(turn);
    const { arm, program } = turn;
    // A key that was come to by its count belongs to that count.
    if (arm.orientation !== "count")
      await arm.next(searching(turn, "is-passed"), program.extent, domainOf(turn));
    const { key } = arm.record;
    arm.orientation = "key";
    if (key.length === 0) return 0;
    const argument = await turn.data.receive(key.length);
    if (!satisfied(relation, key, argument)) return 0;
    program.found = relation === "equal" ? "key" : "nothing";
    return Dstat.STAT_MOD;
  };

const searchHomeAddress: Handler = async (turn) => {
  outsideDomain(turn);
  const { arm, program } = turn;
  if (severalTracks(turn.command) === "several") await arm.advance(program.extent, "outside");
  arm.toIndex();
  const home = encodeTrack(await arm.content()).subarray(1, 5);
  if (!satisfied("equal", home, await turn.data.receive(4))) return 0;
  program.found = "home";
  return Dstat.STAT_MOD;
};

const searching = (turn: Turn, zero: "counts" | "is-passed") =>
  ({ zero, tracks: severalTracks(turn.command), trackEnd: "turns", search: true }) as const;

export const searchCommands: Handlers = {
  49: searchId("equal"),
  177: searchId("equal"),
  81: searchId("high"),
  209: searchId("high"),
  113: searchId("equal-or-high"),
  241: searchId("equal-or-high"),
  41: searchKey("equal"),
  169: searchKey("equal"),
  73: searchKey("high"),
  201: searchKey("high"),
  105: searchKey("equal-or-high"),
  233: searchKey("equal-or-high"),
  57: searchHomeAddress,
  185: searchHomeAddress,
};
