import { type ErrnoCode, isKernelError } from "parhelion-core";

/** Runs what may lose a race, and says how it ended. Throws what is none of the answers that a loser may get. */
export async function outcomeOf(
  run: () => Promise<unknown>,
  ...answers: readonly ErrnoCode[]
): Promise<"done" | ErrnoCode> {
  try {
    await run();
    return "done";
  } catch (error) {
    const answer = answers.find((code) => isKernelError(error, code));
    if (answer === undefined) throw error;
    return answer;
  }
}
