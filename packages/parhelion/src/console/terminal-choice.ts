/** What a console's paper and keyboard are, as somebody wrote it down. */
import { CommandError } from "../command-error.js";

export type TerminalChoice =
  /** A pseudo-terminal; `link` leads to it. */
  | { readonly kind: "pty"; readonly link: string | null }
  /** Whoever connects to the socket, one at a time. */
  | { readonly kind: "unix"; readonly path: string };

/** @throws CommandError bad-terminal: wrong use */
export function parseTerminal(text: string): TerminalChoice {
  if (text === "pty") return { kind: "pty", link: null };
  const [, kind, path = ""] = /^(pty|unix):(.+)$/s.exec(text) ?? [];
  if (kind === "pty") return { kind, link: path };
  if (kind === "unix") return { kind, path };
  throw new CommandError(
    "bad-terminal",
    `a console's terminal is pty, pty:LINK or unix:PATH, not ${JSON.stringify(text)}`,
    "pty is what it is by default",
    { exitStatus: 2 },
  );
}
