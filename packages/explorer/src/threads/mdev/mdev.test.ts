import assert from "node:assert/strict";
import { test } from "node:test";
import { decide } from "../verdicts.js";
import { disputes } from "./index.js";

for (const dispute of disputes) {
  test(`${dispute.id}: ${dispute.title}`, async () => {
    for (const { variant, surprise } of await decide([dispute])) assert.equal(surprise, null, variant.name);
  });
}
