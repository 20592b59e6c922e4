/** A reading as lines of text: fits into 80 columns, and shows more where there are more. */
import { printable } from "../printable.js";
import { brief, briefBytes, fit, percent } from "./cells.js";
import { inOrder, type TopOrder } from "./order.js";
import type { AdapterReading, GuestReading, Memory, Reading, SliceReading } from "./reading.js";

export interface PageOptions {
  readonly order: TopOrder;
  readonly columns: number;
}

interface Column<T> {
  readonly head: string;
  readonly width: number;
  readonly side: "left" | "right";
  readonly cell: (row: T) => string;
}

const left = <T>(head: string, width: number, cell: (row: T) => string): Column<T> => ({
  head,
  width,
  side: "left",
  cell,
});
const right = <T>(head: string, width: number, cell: (row: T) => string): Column<T> => ({
  head,
  width,
  side: "right",
  cell,
});

/** Enough to tell them apart; --json has all of it. */
const shortId = 8;
/** From this width on names are shown in full, and columns stand further apart. */
const wide = 100;

const memoryCell = (memory: Memory | null): string =>
  memory === null ? "-" : [memory.used, memory.grant, memory.limit].map(briefBytes).join("/");

function sliceColumns(columns: number): readonly Column<SliceReading>[] {
  const extra = columns >= wide ? 9 : 0;
  return [
    left("SLICE", shortId, ({ uuid }) => uuid.slice(0, shortId)),
    left("TYPE", 7, ({ type }) => type),
    left("GUEST", shortId, ({ guest }) => (guest === "" ? "-" : guest)),
    left("ENGINE", 7 + (extra === 0 ? 0 : 4), ({ engine }) => (extra === 0 ? shortState(engine) : engine)),
    right("TIME%", 5, ({ time }) => percent(time)),
    right("USED/GRANT/LIMIT", 16, ({ memory }) => memoryCell(memory)),
    right("SUB/S", 5, ({ submits }) => brief(submits)),
    right("B/S", 4, ({ bytes }) => briefBytes(bytes)),
    right("LOST", 4, ({ lostDevices }) => brief(lostDevices)),
    right("RST", 4, ({ restarts }) => brief(restarts)),
  ];
}

const guestColumns = (columns: number): readonly Column<GuestReading>[] => [
  left("GUEST", shortId, ({ id }) => id),
  left("NAME", columns >= wide ? 24 : 9, ({ name }) => (name === "" ? "-" : name)),
  left("CONN", 6, ({ connection }) => connection),
  right("SL", 2, ({ slices }) => brief(slices)),
  right("PROC", 4, ({ processes }) => brief(processes)),
  right("TIME%", 5, ({ time }) => percent(time)),
  right("USED/GRANT/LIMIT", 16, ({ memory }) => memoryCell(memory)),
  right("SUB/S", 5, ({ submits }) => brief(submits)),
  right("B/S", 4, ({ bytes }) => briefBytes(bytes)),
  right("LOST", 4, ({ lostDevices }) => brief(lostDevices)),
];

/** Lines of at most `columns` characters. */
export function topPage(reading: Reading, { order, columns }: PageOptions): readonly string[] {
  const { slices, guests } = reading;
  const head = `host ${reading.pid}   ${counted(slices.length, "slice")}, ${counted(guests.length, "guest")}`;
  return [
    head,
    ...reading.adapters.flatMap(adapterLines),
    "",
    ...(slices.length === 0
      ? ["no slices"]
      : tableLines(sliceColumns(columns), inOrder(slices, order), columns)),
    "",
    ...(guests.length === 0
      ? ["no guests"]
      : tableLines(guestColumns(columns), inOrder(guests, order), columns)),
  ].map((line) => fit(printable(line), columns, "left").trimEnd());
}

function adapterLines({ name, kind, description, health, reason, time, memory }: AdapterReading): string[] {
  const busy = time === null ? [] : [`${percent(time)}% busy`];
  const used =
    memory === null
      ? []
      : [`${briefBytes(memory.used)}${memory.total === null ? "" : `/${briefBytes(memory.total)}`} used`];
  const line = [name, kind, ...(health === "-" ? [] : [health]), ...busy, ...used, description].join("  ");
  return reason === "" ? [line] : [line, `  ${reason}`];
}

function tableLines<T>(columns: readonly Column<T>[], rows: readonly T[], width: number): readonly string[] {
  const gap = width >= wide ? "  " : " ";
  const line = (text: (column: Column<T>) => string) =>
    columns.map((column) => fit(printable(text(column)), column.width, column.side)).join(gap);
  return [line(({ head }) => head), ...rows.map((row) => line(({ cell }) => cell(row)))];
}

function shortState(state: string): string {
  return state === "backing-off" ? "backoff" : state;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
