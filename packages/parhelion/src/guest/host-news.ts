/** What people are told when a guest's host goes or comes back. */
import type { GuestKernel, GuestKernelState } from "parhelion-guest";
import { CommandError } from "../command-error.js";

/** One line, for who watches. */
export function hostNews(state: GuestKernelState, reason: Error): string {
  switch (state) {
    case "running":
      return "the host is there again, and with it the GPU";
    case "refused":
      return `the host does not take this guest back: ${wordsOf(reason)}`;
    case "reconnecting":
    case "stopped":
      return `the host has gone, and with it the GPU (${wordsOf(reason)}); waiting for it to come back`;
  }
}

/** Resolves when the host has refused the guest for good; never while it may come back. */
export function refusal(kernel: GuestKernel): Promise<CommandError> {
  return new Promise((resolve) => {
    kernel.onStateChange((state, reason) => {
      if (state !== "refused") return;
      resolve(
        new CommandError(
          "guest-refused",
          `the host does not take this guest back: ${wordsOf(reason)}`,
          "`parhelion guest create` on the host prints a fresh credential",
          { cause: reason },
        ),
      );
    });
  });
}

const wordsOf = ({ message }: Error): string => message.replace(/^E[A-Z]+: /, "");
