/** Dashboards in the style of public mixins: what is drawn, what is asked, and what is named instead. */

import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { type Dashboard, dashboardOf } from "../src/model/dashboard.ts";
import { filtered } from "../src/model/filters.ts";
import { expanded, scoped } from "../src/model/repeat.ts";
import { macros } from "../src/model/time.ts";
import { choices, insert, insertionOf, inTitle, selected } from "../src/model/variables.ts";

const read = (name: string): Dashboard => dashboardOf(JSON.parse(readFileSync(new URL(`mixins/${name}.json`, import.meta.url), "utf8")));

const MACROS = macros({ from: 0, to: 3600 }, 15);

/** The panels with these values of the variables of labels: the row, the title, what is not supported, and the queries. */
const shown = (dashboard: Dashboard, found: Record<string, string[]>, filters: Parameters<typeof filtered>[1] = []) => {
  const made = dashboard.variables.map((variable) => {
    const among = choices(variable, "values" in variable.source ? variable.source.values : (found[variable.name] ?? []));
    const chosen = selected(variable, undefined, among);
    return { variable, chosen, insertion: insertionOf(variable, chosen, among) };
  });
  const insertions = Object.fromEntries(made.map(({ variable, insertion }) => [variable.name, insertion]));
  const chosen = Object.fromEntries(made.map(({ variable, chosen }) => [variable.name, chosen]));
  return expanded(dashboard.sections, insertions).sections.flatMap(({ title, scope, panels }) => {
    const named = (text: string, scope: Readonly<Record<string, string>>) => inTitle(text, { ...chosen, ...Object.fromEntries(Object.entries(scope).map(([name, value]) => [name, [value]])) }, "All");
    return panels.map((panel) => ({
      row: named(title, scope),
      title: named(panel.title, panel.scope),
      unsupported: panel.unsupported,
      queries: panel.unsupported.length > 0 ? [] : panel.targets.map(({ expr }) => filtered(insert(expr, { ...scoped(insertions, panel.scope), ...MACROS }), filters)),
    }));
  });
};

test("requests, errors and durations of services, a row for each", () => {
  const dashboard = read("service-red");
  expect([dashboard.unsupported, dashboard.filters?.name, dashboard.annotations.length]).toEqual([[], "adhoc", 1]);
  const panels = shown(dashboard, { cluster: ["eu"], namespace: ["shop"], service: ["cart", "pay.v2"] }, [{ key: "pod", operator: "=~", value: "a.*" }]);
  expect(panels.map(({ row, title, unsupported }) => [row, title, unsupported])).toEqual([
    ["Overview of shop", "Availability (30d)", []],
    ["Overview of shop", "Requests by code", []],
    ["Service cart", "Latency of cart", []],
    ["Service cart", "Latency distribution of cart", ["format heatmap"]],
    ["Service pay.v2", "Latency of pay.v2", []],
    ["Service pay.v2", "Latency distribution of pay.v2", ["format heatmap"]],
  ]);
  expect(panels[1]?.queries).toEqual(['sum by (code) (rate(http_requests_total{pod=~"a.*",namespace="shop", service=~"(cart|pay\\\\.v2)"}[1m]))']);
  expect(panels[2]?.queries[1]).toBe('histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{pod=~"a.*",namespace="shop", service="cart"}[1m])))');
});

test("use and saturation of nodes, with a gauge for each", () => {
  const dashboard = read("nodes-use");
  expect(dashboard.unsupported).toEqual([]);
  const panels = shown(dashboard, { job: ["node"], instance: ["a:9100", "b:9100", "c:9100", "d:9100"] });
  expect(panels.map(({ row, title, unsupported }) => [row, title, unsupported])).toEqual([
    ...["a", "b", "c", "d"].map((name) => ["", `CPU of ${name}`, []]),
    ["", "Fullest file systems", []],
    ["", "Memory", []],
    ["Details", "Network", ["transform negative-Y"]],
    ["Details", "Reachable", []],
  ]);
  expect(panels[1]?.queries).toEqual(['1 - avg by (instance) (rate(node_cpu_seconds_total{job="node", instance=~"b(:.+)?", mode="idle"}[5m]))']);
  expect(panels[7]?.queries).toEqual(['up{job="node", instance=~".+(:.+)?"}']);
  // Four gauges, three in a row: the panels below are one row lower.
  const { sections } = expanded(dashboard.sections, { instance: { values: ["a", "b", "c", "d"], verbatim: undefined, isSet: true } });
  expect(sections[0]?.panels.map(({ place: { x, y, w } }) => [x, y, w])).toEqual([[0, 0, 8], [8, 0, 8], [16, 0, 8], [0, 6, 8], [0, 12, 12], [12, 12, 12]]);
});

test("the work of queues, with parts that are not supported", () => {
  const dashboard = read("queues-workload");
  expect(dashboard.unsupported).toEqual(["variable by: type groupby", "annotation Restarts"]);
  const panels = shown(dashboard, { queue: ["mail", "sms"] });
  expect(panels.map(({ title, unsupported }) => [title, unsupported])).toEqual([
    ["About", []],
    ["Waiting in mail", []],
    ["Waiting in sms", []],
    ["Duration of jobs", ["scaleDistribution log"]],
    ["Over the limit", []],
    ["Ages", ["panel heatmap"]],
    ["Logs", ["panel logs"]],
  ]);
  expect(panels[2]?.queries).toEqual(['max by (queue) (bullmq_jobs{queue=~"sms", state="waiting"})']);
  expect(panels[4]?.queries).toEqual(['count(bullmq_jobs{queue=~"(mail|sms)", state="waiting"} > 500) or vector(0)']);
});
