/** docs/errors.md: every stable code of every package, from the lists that are the codes' types. */
import { blockErrorCodes, imageErrorCodes } from "parhelion-ccw";
import { applicationErrors, lossReasons } from "parhelion-client";
import { bugCodes, errnoMeanings } from "parhelion-core";
import {
  defaultLimits as engineDefaults,
  engineRules,
  refusalCodes,
  softwareAdapterCodes,
} from "parhelion-engine";
import { guestRules } from "parhelion-guest";
import { defaultLimits, hostErrorCodes, limitRules, type RuleEntry } from "parhelion-host";
import {
  type CodeEntry,
  portCloseCodes,
  portStallCodes,
  protocolErrorCodes,
  queueConnectCodes,
} from "parhelion-protocol";
import { commandErrorCodes } from "../error-codes.js";
import { code, madeBy, markdownTable } from "./markdown.js";

type Codes = Readonly<Record<string, CodeEntry>>;

export function errorsPage(): string {
  return `${[
    madeBy("the packages' lists of codes"),
    "# Errors",
    introduction,
    "## Refusals",
    refusals,
    "### Rules of the host",
    "Raised with `parhelion host --limit RULE=NUMBER`, or with `limits` where a host is embedded; those of a slice with " +
      "`parhelion slice resize`.",
    hostRules(),
    "### Rules of a guest's kernel",
    "They bound what one guest's kernel keeps, whatever the host allows; they can't be changed.",
    markdownTable(
      ["rule", "limit", "what it bounds"],
      Object.entries(guestRules).map(([rule, { limit, means }]) => [code(rule), number(limit), means]),
    ),
    "### Rules of an engine",
    "Those with a number keep an engine alive should the host or an application ask for too much, and can't be changed.",
    markdownTable(
      ["rule", "limit", "what happens"],
      Object.entries(engineRules).map(([rule, means]) => {
        const limit = new Map(Object.entries(engineDefaults)).get(rule);
        return [code(rule), limit === undefined ? "the slice's own" : number(limit), means];
      }),
    ),
    "## The host",
    "`HostError`: over the admin socket, and to whoever embeds a host. From `packages/host/src/error-codes.ts`.",
    codes(hostErrorCodes),
    "## The command",
    "`parhelion …`, besides the host's codes and Linux's error numbers. From `packages/parhelion/src/error-codes.ts`.",
    codes(commandErrorCodes),
    "## The application",
    "What a WebGPU program sees. From `packages/client/src/error-codes.ts`.",
    markdownTable(
      ["error", "when"],
      Object.entries(applicationErrors).map(([name, when]) => [code(name), when]),
    ),
    "`device.lost` says one of:",
    markdownTable(
      ["reason", "when"],
      Object.entries(lossReasons).map(([name, when]) => [code(name), when]),
    ),
    "## The engine",
    "`Refusal`: to the host, and by it to the application. From `packages/engine/src/error-codes.ts`.",
    codes(refusalCodes),
    "`SoftwareAdapterError`: SwiftShader can't be made available.",
    codes(softwareAdapterCodes),
    "## The guest and the device model",
    "`KernelError` and `ControlError`, with Linux's numbers: what nodes, buses, drivers and attributes answer, on the host and in " +
      "guests. From `packages/core/src/error-codes.ts`.",
    codes(errnoMeanings),
    "`BugError`: code broke a rule of the model. Report it.",
    codes(bugCodes),
    "## The protocol",
    "`ProtocolError`: what the other end sent can't be right; its connection is closed. From `packages/protocol/src/error-codes.ts`.",
    codes(protocolErrorCodes),
    "`PortClosedError`: a queue can't be used any more.",
    codes(portCloseCodes),
    "`PortStalledError`: there was no room to write.",
    codes(portStallCodes),
    "`QueueConnectError`: a queue did not come to be.",
    codes(queueConnectCodes),
    "## Disk images",
    "`ImageError`: an image of a mainframe's disk can't be used; with the file, and the offset in it. From " +
      "`packages/ccw/src/image/error-codes.ts`.",
    codes(imageErrorCodes),
    "`BlockError`: blocks of a disk behind a subchannel can't be read or written. From `packages/ccw/src/block/error-codes.ts`.",
    codes(blockErrorCodes),
  ].join("\n\n")}\n`;
}

const introduction = [
  "Every error has a stable `code` beside its message: programs go by the code, people read the message, which says what, where,",
  "which limit, and what to do. `parhelion` prints the message and below it the advice; with `--json` it prints",
  '`{"error": {"code", "message", "remedy"}}`. It exits with 1 for these (`bad-line` and a',
  "`bad-terminal` whose words can't be read: 2), and with 2 for wrong words, told as text whatever was asked for; `run` exits with its",
  "command's status.",
].join("\n");

const refusals = [
  "Where a limit is the reason, the error also carries, over the admin socket, in the private data of a guest's request, and in the",
  "event `limit.reached`:",
  "",
  markdownTable(
    ["field", "what it is"],
    [
      [code("code"), "`limit-reached`, or the engine's code"],
      [
        code("slice"),
        "UUID of the slice; the guest's id where the limit is the guest's; empty where it is the host's",
      ],
      [code("rule"), "which limit, by its name below"],
      [code("limit"), "how much there may be"],
      [code("used"), "how much there was"],
      [code("wanted"), "how much more was asked for"],
      [code("remedy"), "what to do"],
    ],
  ),
].join("\n");

function hostRules(): string {
  const limits: Readonly<Record<string, number>> = { ...defaultLimits };
  return markdownTable(
    ["rule", "default", "whose", "what it bounds"],
    Object.entries<RuleEntry>(limitRules).map(([rule, { means, whose, kind }]) => {
      const limit = limits[rule];
      return [
        code(rule),
        limit === undefined ? "the slice's or the adapter's own" : number(limit),
        whose,
        kind === "bound" ? `${means} Nothing is refused for it.` : means,
      ];
    }),
  );
}

function codes(codes: Codes): string {
  return markdownTable(
    ["code", "what it means", "what to do"],
    Object.entries(codes).map(([name, { means, remedy }]) => [code(name), means, remedy]),
  );
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
