/** A table on LevelDB, in a directory of its own: a synced batch is what makes a change happen or not. */
import { readdir } from "node:fs/promises";
import type { ClassicLevel } from "classic-level";
import { HostError, messageOf, systemCode } from "../host-error.js";
import type { Table, TableEdit } from "./table.js";

type Level = ClassicLevel<string, string>;

export class LevelTable implements Table {
  readonly where: string;
  #level: Level | undefined;

  /** @param directory is made if need be */
  constructor(directory: string) {
    this.where = directory;
  }

  async open(): Promise<void> {
    await this.#refuseHeadless();
    const level = new (await load())<string, string>(this.where, {
      keyEncoding: "utf8",
      valueEncoding: "utf8",
    });
    try {
      await level.open();
    } catch (error) {
      throw this.#explained(error);
    }
    this.#level = level;
  }

  entries(): AsyncIterable<readonly [string, string]> {
    return this.#opened().iterator();
  }

  async get(key: string): Promise<string | undefined> {
    return this.#opened().get(key);
  }

  async write(edits: readonly TableEdit[]): Promise<void> {
    const operations = edits.map(({ key, text }) =>
      text === null ? ({ type: "del", key } as const) : ({ type: "put", key, value: text } as const),
    );
    try {
      await this.#opened().batch(operations, { sync: true });
    } catch (error) {
      throw new Error(reasonOf(error), { cause: error });
    }
  }

  async close(): Promise<void> {
    const level = this.#level;
    this.#level = undefined;
    await level?.close();
  }

  #opened(): Level {
    if (this.#level === undefined) throw new Error("the table is not open");
    return this.#level;
  }

  /** LevelDB takes a directory without CURRENT for a new one, and forgets what is there. */
  async #refuseHeadless(): Promise<void> {
    const files: readonly string[] = await readdir(this.where).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return [];
      throw unavailable(this.where, messageOf(error), error);
    });
    if (files.includes("CURRENT") || !files.some((name) => /\.(ldb|sst|log)$/.test(name))) return;
    throw damaged(this.where, "it has lost its file CURRENT");
  }

  #explained(error: unknown): HostError {
    const reason = reasonOf(error);
    const code = systemCode(causeOf(error));
    if (code === "LEVEL_CORRUPTION") return damaged(this.where, reason, error);
    if (code !== "LEVEL_LOCKED") return unavailable(this.where, reason, error);
    return new HostError("host-already-running", `a host has the store in ${this.where} open.`, {
      cause: error,
      details: { directory: this.where },
      remedy: "Stop it, or start this one with another state directory.",
    });
  }
}

/** @param reason without a full stop */
export function damaged(where: string, reason: string, cause?: unknown, key?: string): HostError {
  const what = key === undefined ? "" : `record ${JSON.stringify(key)} of `;
  return new HostError("store-damaged", `${what}the store in ${where} is damaged: ${reason}.`, {
    cause,
    details: { directory: where, ...(key === undefined ? {} : { key }) },
    remedy:
      "Put back a copy of that directory, or start the host with --forget-state to begin with an empty one.",
  });
}

function unavailable(where: string, reason: string, cause: unknown): HostError {
  return new HostError("store-unavailable", `the store in ${where} cannot be opened: ${reason}.`, {
    cause,
    details: { directory: where },
    remedy: "Free space if the disk is full, and check that this user can write there.",
  });
}

/** The native part is there for the usual systems; where it is not the host says so instead of ending in the loader. */
async function load(): Promise<typeof ClassicLevel> {
  try {
    return (await import("classic-level")).ClassicLevel;
  } catch (error) {
    throw new HostError(
      "store-unavailable",
      `the native part of classic-level cannot be loaded on ${process.platform}-${process.arch}: ${messageOf(error)}.`,
      {
        cause: error,
        remedy: "Install it anew with its install scripts allowed, or start a host that keeps nothing.",
      },
    );
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

/** LevelDB's own words are in the cause. */
function reasonOf(error: unknown): string {
  return messageOf(causeOf(error));
}
