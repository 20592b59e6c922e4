/** Runs every relevant interleaving of asynchronous code on `parhelion-core`'s primitives. */
export type { RunEnd, Step, Strategy, Waiting } from "./search/strategy.js";
