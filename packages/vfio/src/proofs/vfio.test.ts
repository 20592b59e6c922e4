/** What VFIO's users, drivers and administrators do at once, in every order within the bounds that `list` states. */
import { test } from "node:test";
import { declareProofs, proofDepth } from "parhelion-explorer";
import { proofs } from "./list.test.fixture.js";

declareProofs(test, proofs, proofDepth(process.env));
