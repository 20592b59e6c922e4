/** A console's paper and keyboard on this machine: a pseudo-terminal with a link to it, or a socket. */
import { lstatSync, readlinkSync, statSync, symlinkSync, unlinkSync } from "node:fs";
import { resolve } from "node:path";
import { type Console3215, serveConsole } from "parhelion-ccw";
import { isKernelError } from "parhelion-core";
import { loadKoffi, openPty, type Pty } from "parhelion-vfio";
import { CommandError } from "../command-error.js";
import { explainTerminal } from "../vfio/explain-listening.js";
import type { TerminalChoice } from "./terminal-choice.js";

export interface HostTerminal {
  readonly kind: TerminalChoice["kind"];
  /** Where programs of this machine reach it. */
  readonly path: string;
  readonly link: string | null;
  close(): Promise<void>;
}

/** @throws CommandError no-pty, bad-terminal, listen-failed */
export async function openHostTerminal(
  console: Console3215,
  choice: TerminalChoice,
  workingDirectory: string,
): Promise<HostTerminal> {
  if (choice.kind === "unix") return onSocket(console, resolve(workingDirectory, choice.path));
  const link = choice.link === null ? null : resolve(workingDirectory, choice.link);
  const pty = await opened();
  try {
    if (link !== null) linkTo(pty.path, link);
  } catch (error) {
    pty.close();
    throw error;
  }
  console.connect(pty.stream, { echo: "here" });
  return {
    kind: "pty",
    path: pty.path,
    link,
    async close() {
      if (link !== null && leadsTo(link) === pty.path) unlinkSync(link);
      pty.close();
    },
  };
}

async function onSocket(console: Console3215, path: string): Promise<HostTerminal> {
  try {
    const { close } = await serveConsole(console, path);
    return { kind: "unix", path, link: null, close };
  } catch (error) {
    if (isKernelError(error, "EIO"))
      throw new CommandError(
        "listen-failed",
        error.message,
        "name another path, in a directory that is there",
      );
    throw explainTerminal(error);
  }
}

async function opened(): Promise<Pty> {
  const koffi = await loadKoffi();
  if (koffi === undefined)
    throw new CommandError(
      "no-pty",
      "a pseudo-terminal needs koffi, which does not load here",
      "take --terminal unix:PATH",
    );
  try {
    return openPty(koffi);
  } catch (error) {
    throw explainTerminal(error);
  }
}

/**
 * A link that leads nowhere any more was left by a console that was killed; one that leads to this very terminal as well, since the kernel
 * gives the lowest number that is free.
 * @throws CommandError bad-terminal
 */
export function linkTo(terminal: string, link: string): void {
  try {
    const before = leadsTo(link);
    if (
      before?.startsWith("/dev/pts/") === true &&
      (before === terminal || statSync(link, { throwIfNoEntry: false }) === undefined)
    )
      unlinkSync(link);
    symlinkSync(terminal, link);
  } catch (error) {
    throw new CommandError(
      "bad-terminal",
      `there can be no link at ${link}: ${(error as Error).message}`,
      "name a place where nothing is yet, in a directory that this user can write",
      { cause: error },
    );
  }
}

/** Undefined where no link is. */
function leadsTo(link: string): string | undefined {
  return lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true
    ? readlinkSync(link)
    : undefined;
}
