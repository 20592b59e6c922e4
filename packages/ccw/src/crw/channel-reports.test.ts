import assert from "node:assert/strict";
import { test } from "node:test";
import type { Crw } from "parhelion-buses";
import { createRuntime } from "parhelion-core";
import { ChannelReports, type ReportsInit } from "./channel-reports.js";

const id = (schno: number) => ({ cssid: 0, ssid: 2, schno });

function reports(init: ReportsInit): { readonly reports: ChannelReports; readonly told: string[] } {
  const reports = new ChannelReports(createRuntime(), init);
  const told: string[] = [];
  reports.onReport(() => void told.push("report"));
  return { reports, told };
}

function all(from: ChannelReports): string[] {
  const words: string[] = [];
  for (let crw: Crw | null = from.take(); crw !== null; crw = from.take()) {
    words.push(`${crw.chn === 1 ? "chained " : ""}${crw.oflw === 1 ? "lost " : ""}${crw.rsid.toString(16)}`);
  }
  return words;
}

test("a report about a subchannel names its set in a second word, where there are several", () => {
  const several = reports({ sets: "several" });
  several.reports.subchannel(id(0x1234));
  assert.deepEqual(all(several.reports), ["chained 1234", "20"]);
  const one = reports({ sets: "one" });
  one.reports.subchannel(id(0x1234));
  assert.deepEqual(all(one.reports), ["1234"]);
  assert.equal(one.told.length, 1);
});

test("what is too much is lost, and the last word that was kept says so", () => {
  const { reports: kept, told } = reports({ sets: "several", limit: 3 });
  kept.subchannel(id(1));
  kept.subchannel(id(2));
  assert.deepEqual(all(kept), ["chained 1", "lost 20"]);
  kept.path(0x40, "OFFLINE");
  kept.path(0x41, "OFFLINE");
  kept.path(0x42, "OFFLINE");
  kept.path(0x43, "OFFLINE");
  kept.path(0x44, "ONLINE");
  assert.deepEqual(all(kept), ["40", "41", "lost 42"]);
  assert.equal(told.length, 7);
  kept.path(0x45, "ONLINE");
  assert.deepEqual(all(kept), ["45"]);
});

test("who comes late is told that reports wait", () => {
  const { reports: early, told } = reports({ sets: "one" });
  early.onReport(null);
  early.path(1, "ONLINE");
  assert.equal(told.length, 0);
  early.onReport(() => void told.push("late"));
  assert.deepEqual(told, ["late"]);
});
