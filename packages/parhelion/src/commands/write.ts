/** `parhelion write`: stores an attribute's value, with a newline behind it, as a shell's echo would. */
import { CommandError } from "../command-error.js";
import { asking } from "../sys/explain.js";
import { MAX_SYS_BYTES, sysPath } from "../sys/path.js";
import { reachTree, type TreeWish } from "../sys/target.js";
import type { Terminal } from "../terminal.js";

export interface WriteCommand extends TreeWish {
  readonly path: string;
  /** "-": from standard input. */
  readonly text: string;
  readonly json?: boolean;
}

export async function writeCommand(options: WriteCommand, terminal: Terminal): Promise<number> {
  const path = sysPath(options.path);
  const text = options.text === "-" ? await readAll(terminal.input()) : options.text;
  const value = withNewline(text);
  const { client } = await reachTree(options, terminal);
  try {
    await asking(client, `write ${path}`, path, () => client.write(path, value));
    if (options.json) terminal.out(JSON.stringify({ path, value }));
    return 0;
  } finally {
    client.close();
  }
}

/** @throws CommandError E2BIG */
function withNewline(text: string): string {
  const value = text.endsWith("\n") ? text : `${text}\n`;
  if (Buffer.byteLength(value) > MAX_SYS_BYTES) throw tooLong();
  return value;
}

/** Reads no more than it could use. @throws CommandError E2BIG */
async function readAll(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_SYS_BYTES) throw tooLong();
  }
  return Buffer.concat(chunks).toString("utf8");
}

function tooLong(): CommandError {
  return new CommandError(
    "E2BIG",
    `E2BIG: the value has more than ${MAX_SYS_BYTES} bytes, the limit for an attribute, its newline included`,
    "write less",
  );
}
