/** What time it is for people. Nothing waits for it or is decided by it: it can go back. */
export type WallTime = () => number;

/** In ms since 1970; the one place in the package that reads the machine's calendar clock. */
export const systemWallTime: WallTime = () => Date.now();
