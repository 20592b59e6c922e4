import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { errorsPage } from "./errors-page.js";
import { eventsPage } from "./events-page.js";
import { metricsPage } from "./metrics-page.js";

const pages = { "errors.md": errorsPage, "events.md": eventsPage, "metrics.md": metricsPage };

for (const [name, make] of Object.entries(pages)) {
  test(`docs/${name} says what the code says`, () => {
    const page = new URL(`../../../../docs/${name}`, import.meta.url);
    const text = make();
    if (read(page) === text) return;
    writeFileSync(page, text);
    assert.fail(`docs/${name} was out of date; it is not any more: look at the difference and commit it`);
  });
}

function read(page: URL): string {
  try {
    return readFileSync(page, "utf8");
  } catch {
    return "";
  }
}
