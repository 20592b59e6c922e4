/** docs/events.md: the host's events, from the list that is their names' type; and what channel I/O logs, from its lists. */
import { cssRecords, type LoggedRecord } from "parhelion-buses";
import { ccwRecords } from "parhelion-ccw";
import { type EventEntry, hostEvents } from "parhelion-host";
import { code, madeBy, markdownTable } from "./markdown.js";

export function eventsPage(): string {
  return `${[
    madeBy(
      "packages/host/src/observe/event-list.ts, packages/ccw/src/record-list.ts and packages/buses/src/css/record-list.ts",
    ),
    "# Events",
    introduction,
    ...Object.entries<EventEntry>(hostEvents).flatMap(([name, { level, means, fields }]) => [
      `## ${name}`,
      `${means} Level ${code(level)}.`,
      markdownTable(
        ["field", "type", "what it is"],
        Object.entries(fields).map(([field, { type, means: what, there }]) => [
          code(field),
          type,
          there === "sometimes" ? `${what}; absent where there is none` : what,
        ]),
      ),
    ]),
    "# Channel I/O",
    channelIo,
    ...Object.entries<LoggedRecord>({ ...ccwRecords, ...cssRecords })
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([name, { level, means, fields }]) => [
        `## ${name}`,
        `${means} Level ${code(level)}.`,
        markdownTable(
          ["field", "what it is"],
          Object.entries(fields).map(([field, what]) => [code(field), what]),
        ),
      ]),
  ].join("\n\n")}\n`;
}

const introduction = [
  "What a host tells of itself. The same records go to its log, by the same names and with the same fields, at the levels given",
  "here (`parhelion host --log-level`); and the last 2,048 of them are kept for whoever asks:",
  "",
  "    parhelion events                      what is kept",
  "    parhelion events --follow --json      and what happens, one object a line",
  "    parhelion events --since 17           what came after number 17",
  "",
  "An event is `{seq, time, level, event, fields}`; `seq` counts from 1 in each run of the host, without gaps. Texts are cut at 2,048",
  "characters. Over the admin socket the method `events {since, most, waitMs}` answers `{events, next, lost}`: `next` is the `since`",
  "of the next question, `lost` how many were not kept any more.",
].join("\n");

const channelIo = [
  "What a channel subsystem, the devices behind it and vfio-ccw log, whoever runs them: `parhelion dasd attach`, `console attach` and",
  "`vfio serve ccw:IMAGE` print it on standard error, at `--log-level` and above. These records are no events of a host.",
].join("\n");
