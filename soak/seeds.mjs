// How many different inputs each program has: their digests are computed once, without any trouble, before the soak.
export const SEEDS = 8;
