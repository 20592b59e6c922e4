import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { createEngineLauncher } from "parhelion-engine";
import { type CreatedGuest, startHost } from "parhelion-host";
import { kernelProcess } from "./programs.test.fixture.js";
import { returningHost, steadfast } from "./restart.test.fixture.js";
import { application, inDirectory, Program, until } from "./world.test.fixture.js";

const limit = { timeout: 300_000 };

interface Kept {
  readonly uuid: string;
  readonly generation: number;
}

/** Runs with programs that are killed at the end if they have not ended. */
async function withPrograms(
  body: (start: (program: Program) => Program, directory: string) => Promise<void>,
): Promise<void> {
  const programs: Program[] = [];
  await inDirectory(async (directory) => {
    try {
      await body((program) => {
        programs.push(program);
        return program;
      }, directory);
    } finally {
      for (const program of programs) program.kill();
      for (const program of programs) await program.ended();
    }
  });
}

test(
  "a host ends and comes back under a running guest, which gets its slice back by UUID and computes the same",
  limit,
  () =>
    withPrograms(async (start, stateDirectory) => {
      const environment = { STATE: stateDirectory };
      let host = start(new Program(returningHost, { environment: { ...environment, MAKE: "one" } }));
      const guest = await host.line("guest");
      const { directory } = JSON.parse(guest) as CreatedGuest;
      const [first] = JSON.parse(await host.line("slices")) as [Kept];
      const kernel = start(new Program(kernelProcess, { environment: { GUEST: guest } }));
      assert.equal(await kernel.line("nodes"), "dxg0");
      const program = start(application(directory, steadfast, { ROUNDS: "3" }));
      const result = await program.line("result0");
      let { generation } = first;
      for (const [round, signal] of (["SIGKILL", "SIGTERM"] as const).entries()) {
        host.kill(signal);
        await host.ended();
        assert.equal(await program.line(`lost${round + 1}`), "unknown");
        host = start(new Program(returningHost, { environment }));
        const slices = JSON.parse(await host.line("slices")) as Kept[];
        assert.deepEqual(
          slices.map(({ uuid }) => uuid),
          [first.uuid],
        );
        assert.ok((slices[0]?.generation as number) > generation);
        generation = slices[0]?.generation as number;
        assert.equal(await program.line(`result${round + 1}`), result);
      }
      await program.end();
      assert.equal(kernel.state, "running");
      kernel.kill();
      await kernel.ended();
      host.kill("SIGTERM");
      await host.end();
      assert.deepEqual((await readdir(stateDirectory)).sort(), ["g", "store"]);
    }),
);

test(
  "a guest whose kernel is killed is removed when it is meant to be connected, and stays when not",
  limit,
  () =>
    inDirectory(async (stateDirectory) => {
      const host = await startHost({
        launcher: createEngineLauncher(),
        stateDirectory,
        adapter: "null",
        orphanMs: 2000,
      });
      const kept = await host.guestCreate({ name: "kept" });
      for (const lifetime of ["kept", "connected"] as const) {
        const guest = lifetime === "kept" ? kept : await host.guestCreate({ name: "gone", lifetime });
        const kernel = new Program(kernelProcess, { environment: { GUEST: JSON.stringify(guest) } });
        // On a machine so slow that patience ends first there is no kernel to kill, and the end is the same.
        await kernel.lineOrEnd("nodes");
        kernel.kill();
        await kernel.ended();
      }
      await until("the guest that was meant to be connected has gone", async () =>
        (await host.status()).guests.every(({ name }) => name === "kept"),
      );
      const { guests, slices } = await host.status();
      assert.deepEqual([guests.map(({ id }) => id), slices.length], [[kept.id], 1]);
      await host.stop();
    }),
);
