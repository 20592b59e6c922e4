/** The table of all control messages in docs/protocol.md, from messages.schema.mjs: what stands between the two markers. */
import { readFileSync } from "node:fs";
import { spaces, structs } from "./messages.schema.mjs";

const PATH = "../../docs/protocol.md";
const BEGIN = "<!-- Generated from packages/protocol/idl/messages.schema.mjs by `npm run generate`: -->";
const END = "<!-- end of what is generated -->";

const titles = {
  node: "On a node: ours",
  ioctl: "On a node: dxg ioctls",
  queue: "On a queue's socket",
  sys: "On the socket of a device tree",
  vmbus: "VMBus",
  vmCommand: "Host commands on the global channel",
  vgpuCommand: "Host commands on a vGPU's channel",
  guestCommand: "From the host on a vGPU's channel",
  pciCommand: "On a PCI function's channel",
};

const cell = (text) => text.replaceAll("|", "\\|");
/** Spaces whose numbers are written in hexadecimal where they come from. */
const hexadecimal = ["node", "ioctl", "queue", "sys"];
const fields = (spec) => {
  const list = Object.entries(spec).map(([name, [type]]) => `${name} ${type}`);
  return list.length === 0 ? "nothing" : `\`${list.join(", ")}\``;
};

function table(head, rows) {
  const line = (cells) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function spaceTable(key, { doc, messages }) {
  const entries = Object.entries(messages);
  const answered = entries.some(([, [, , , reply]]) => reply !== null);
  const numberOf = (value) =>
    hexadecimal.includes(key) ? `0x${value.toString(16).padStart(2, "0")}` : String(value);
  const purpose = (name, what) =>
    what === "As the ioctl." ? `As the ioctl: ${spaces.ioctl.messages[name][1]}` : what;
  const rows = entries.map(([name, [value, what, request, reply]]) => {
    const asked = [numberOf(value), name, fields(request)];
    return answered
      ? [...asked, reply === null ? "–" : fields(reply), purpose(name, what)]
      : [...asked, what];
  });
  const head = ["type", "message", answered ? "request" : "body", ...(answered ? ["reply"] : []), "what for"];
  return `### ${titles[key]}\n\n${doc}\n\n${table(head, rows)}`;
}

/** docs/protocol.md with its generated part renewed, as generate.mjs wants it. */
export function messageDocs() {
  const text = readFileSync(new URL(`../${PATH}`, import.meta.url), "utf8");
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/protocol.md has lost the markers ${BEGIN} and ${END}`);
  const parts = Object.entries(spaces).map(([key, space]) => spaceTable(key, space));
  const nested = Object.entries(structs).map(([name, { doc, fields: spec }]) => [name, fields(spec), doc]);
  parts.push(`### Structs in these\n\n${table(["struct", "fields", "what for"], nested)}`);
  return {
    path: PATH,
    text: `${text.slice(0, from)}${BEGIN}\n\n${parts.join("\n\n")}\n\n${text.slice(to)}`,
  };
}
