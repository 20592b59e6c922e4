/** D4.5: a library that is newer than the kernel passes a bigger structure. */
import { isKernelError, KernelError } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";

type Convention = "the size is part of the number" | "the size is passed, unknown fields must be zero";

const known = 16;

interface Request {
  readonly size: number;
  /** What the fields beyond the kernel's structure hold. */
  readonly beyond: number;
}

function answer(convention: Convention, { size, beyond }: Request): string {
  if (convention === "the size is part of the number") {
    if (size !== known) throw new KernelError("ENOTTY", "there is no such request");
    return "answered";
  }
  if (beyond !== 0) throw new KernelError("E2BIG", "a field that this kernel does not know is used");
  return "answered";
}

function program(convention: Convention): Program {
  return define({
    name: convention,
    setup(world) {
      const ask = async (request: Request): Promise<string> => {
        // The library takes ENOTTY for a file inherited by fork: it opens the node again, once.
        for (const attempt of ["first", "after opening again"]) {
          await world.point(`${attempt} attempt`);
          try {
            return answer(convention, request);
          } catch (error) {
            if (isKernelError(error, "E2BIG")) return "refused, and why";
            if (!isKernelError(error, "ENOTTY")) throw error;
          }
        }
        return "refused as if the file were not the caller's";
      };
      world.task("newer library", async () => {
        const plain = await ask({ size: 24, beyond: 0 });
        world.expect(plain === "answered", `a request that needs nothing new is ${plain}`);
        const fancy = await ask({ size: 24, beyond: 1 });
        world.expect(fancy === "refused, and why", `a request for something new is ${fancy}`);
        const old = await ask({ size: known, beyond: 0 });
        world.expect(old === "answered", `an old request is ${old}`);
      });
    },
  });
}

export const biggerArgument: Dispute = {
  id: "D4.5",
  thread: "dxgkrnl",
  title: "A structure that grew, and a kernel that has not",
  argued:
    "An interface to user space can't be changed by raising a version; how it is to grow was left open, the " +
    "interface had not been reviewed yet.",
  found:
    "There is nothing to interleave. With the size in the request's number a grown structure is another " +
    "request: ENOTTY, which the library takes for a fork and answers by opening the node again. With the size " +
    "passed and unknown fields zero, what is old works and what is new says why not.",
  variants: [
    {
      name: "as posted: size in the number",
      program: program("the size is part of the number"),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "size passed, unknown fields zero",
      program: program("the size is passed, unknown fields must be zero"),
      expected: "safe",
    },
  ],
};
