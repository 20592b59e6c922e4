/**
 * Reads Prometheus' text format, version 0.0.4, and refuses whatever the format does not allow, by its description at
 * prometheus.io/docs/instrumenting/exposition_formats. Stricter than Prometheus in what names should be.
 */
import assert from "node:assert/strict";

export interface Family {
  readonly name: string;
  readonly kind: string;
  readonly help: string;
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function parseExposition(text: string): ReadonlyMap<string, Family> {
  assert.ok(text.endsWith("\n"), "the last line has no end");
  const families = new Map<string, Family & { samples: Family["samples"][number][] }>();
  let help: { name: string; text: string } | undefined;
  let current: (Family & { samples: Family["samples"][number][] }) | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) ([^ ]+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, what = "", name = "", rest = ""] = comment;
      assert.match(name, metricName);
      if (what === "HELP") {
        assert.ok(!families.has(name), `${name} comes twice`);
        help = { name, text: unescaped(rest, false) };
        current = undefined;
      } else {
        assert.equal(help?.name, name, `TYPE of ${name} without its HELP before it`);
        assert.match(rest, /^(counter|gauge)$/);
        current = { name, kind: rest, help: help?.text ?? "", samples: [] };
        families.set(name, current);
      }
      continue;
    }
    assert.ok(!line.startsWith("#"), `a comment that is none of ours: ${line}`);
    const sample = readSample(line);
    assert.equal(sample.name, current?.name, `a sample outside of its family: ${line}`);
    const same = current?.samples.find(
      ({ labels }) => JSON.stringify(labels) === JSON.stringify(sample.labels),
    );
    assert.equal(same, undefined, `the same labels twice: ${line}`);
    if (current?.kind === "counter") assert.ok(sample.value >= 0, line);
    current?.samples.push(sample);
  }
  return families;
}

function readSample(line: string): { name: string; labels: Readonly<Record<string, string>>; value: number } {
  const head = /^([^{ ]+)/.exec(line)?.[1] ?? "";
  assert.match(head, metricName);
  let at = head.length;
  const labels: Record<string, string> = {};
  if (line[at] === "{") {
    at += 1;
    while (line[at] !== "}") {
      const part = /^([^=]+)="((?:[^"\\\n]|\\[\\"n])*)"(,?)/.exec(line.slice(at));
      assert.ok(part !== null, `bad labels: ${line}`);
      const [whole, name = "", value = "", comma] = part;
      assert.match(name, labelName);
      assert.ok(!name.startsWith("__") && !Object.hasOwn(labels, name), `label ${name}: ${line}`);
      labels[name] = unescaped(value, true);
      at += whole.length;
      assert.ok(comma === "," || line[at] === "}", `bad labels: ${line}`);
    }
    at += 1;
  }
  const value = /^ ([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/.exec(line.slice(at))?.[1];
  assert.ok(value !== undefined, `bad value: ${line}`);
  return { name: head, labels, value: Number(value) };
}

function unescaped(text: string, quotes: boolean): string {
  return text.replaceAll(quotes ? /\\([\\"n])/g : /\\([\\n])/g, (_whole, escaped: string) =>
    escaped === "n" ? "\n" : escaped,
  );
}
