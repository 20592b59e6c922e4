import assert from "node:assert/strict";
import { readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inWorkplace } from "../command.test.fixture.js";
import { linkTo } from "./host-terminal.js";

test("a link that a killed console left is taken over when the kernel gives that terminal's number again", () =>
  inWorkplace((place) => {
    const link = join(place.directory, "console");
    const terminal = "/dev/pts/ptmx"; // is there wherever pseudo-terminals are
    symlinkSync(terminal, link);
    linkTo(terminal, link);
    assert.equal(readlinkSync(link), terminal);
    return Promise.resolve();
  }));
