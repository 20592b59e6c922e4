/** docs/metrics.md: what a host measures, from the list that it is measured by. */
import { hostMetrics, type MetricEntry } from "parhelion-host";
import { code, madeBy, markdownTable } from "./markdown.js";

export function metricsPage(): string {
  return `${[
    madeBy("packages/host/src/observe/metric-list.ts"),
    "# Metrics",
    introduction,
    markdownTable(
      ["metric", "type", "labels", "what it is"],
      Object.entries<MetricEntry>(hostMetrics).map(([name, { kind, labels, help }]) => [
        code(name),
        kind,
        labels.map(code).join(", "),
        help,
      ]),
    ),
    ending,
  ].join("\n\n")}\n`;
}

const introduction = [
  "For Prometheus, and whatever reads its text format:",
  "",
  "    parhelion host --metrics 9464                 http://127.0.0.1:9464/metrics",
  "    parhelion host --metrics 0.0.0.0:9464 --metrics-anywhere",
  "",
  "Off unless asked for. Metrics name guests and what their programs do, and ask for no password: an address that other machines can",
  "reach is refused without `--metrics-anywhere`. On this machine every user can read them.",
].join("\n");

const ending = [
  "Engines are asked for their counts when the page is, once however many ask for it, and never for a submission. A value that is not",
  "known, because an engine is not running or does not answer within a second, is not on the page. Labels of a slice are in",
  "`parhelion_slice_info`: join by `slice`.",
].join("\n");
