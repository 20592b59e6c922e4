import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createRuntime } from "../runtime.js";
import { Refcount } from "./refcount.js";

test("the release runs once, at the put that balances the gets, and every use after it is refused", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("get", "tryGet", "put"), { maxLength: 30 }), (ops) => {
      let model = 1;
      let releases = 0;
      const refs = new Refcount(createRuntime(), "r", () => {
        releases += 1;
      });
      for (const op of ops) {
        if (op === "tryGet") {
          assert.equal(refs.tryGet(), model > 0);
          if (model > 0) model += 1;
        } else if (model === 0) {
          const code = op === "get" ? "refcount-use-after-release" : "refcount-underflow";
          assert.throws(() => (op === "get" ? refs.get() : refs.put()), { code });
        } else {
          if (op === "get") refs.get();
          else refs.put();
          model += op === "get" ? 1 : -1;
        }
        assert.equal(refs.count, model);
        assert.equal(releases, model === 0 ? 1 : 0);
      }
    }),
  );
});
