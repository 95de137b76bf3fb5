import { expect, test } from "vitest";

import { alertsOf, thresholdOf } from "../src/model/alerts.ts";
import { readinessOf } from "../src/model/checks.ts";
import { elapsed } from "../src/model/clock.ts";
import { exported } from "../src/model/export.ts";
import { frameOf, nameOf, sampled, tableOf } from "../src/model/frame.ts";
import { exploreLink, panelLink } from "../src/model/grafana.ts";
import { blocks, inline } from "../src/model/markdown.ts";
import { outlined, outlineOf } from "../src/model/outline.ts";
import { overall } from "../src/model/status.ts";
import { clicked, type Order, queuesOf, sorted } from "../src/model/queues.ts";
import { aligned, interval, macros, promDuration, stepFor } from "../src/model/time.ts";
import { order, transformed } from "../src/model/transform.ts";
import { ALL, choices, insert, insertionOf, labelValues, selected, UnknownVariable, variablesOf, withVariables } from "../src/model/variables.ts";
import { EXPLORE, hashOf, pageOf, viewOf } from "../src/model/view.ts";

const matrix = (metric: Record<string, string>, values: [number, string][]) => ({ resultType: "matrix", result: [{ metric, values }] });

test("results become series on the grid of times, with gaps where there is no sample", () => {
  const series = sampled(matrix({ route: "/a" }, [[15, "1"], [45, "+Inf"], [60, "NaN"], [75, "2"]]));
  const frame = frameOf([{ query: "A", legend: "{{ route }}!", series }], 0, 75, 15);
  expect(frame.times).toEqual([0, 15, 30, 45, 60, 75]);
  expect(frame.series).toEqual([{ labels: { route: "/a" }, query: "A", name: "/a!", values: [null, 1, null, null, null, 2] }]);
});

test("series are named by the legend, or as PromQL writes them", () => {
  expect(nameOf({ __name__: "up", job: 'a"b' }, undefined)).toBe('up{job="a\\"b"}');
  expect(nameOf({ __name__: "up" }, "")).toBe("up");
  expect(nameOf({}, undefined)).toBe("{}");
  expect(nameOf({ job: "a" }, "{{job}} {{missing}}")).toBe("a ");
  expect(nameOf({ job: "a" }, "__auto")).toBe("a");
});

test("an instant result becomes a matrix of queues and states", () => {
  const vector = {
    resultType: "vector",
    result: [
      { metric: { queue: "mail", state: "waiting" }, value: [10, "3"] },
      { metric: { queue: "mail", state: "failed" }, value: [10, "1"] },
      { metric: { queue: "audio", state: "waiting" }, value: [10, "12"] },
    ],
  };
  const table = transformed(tableOf([{ query: "A", legend: undefined, series: sampled(vector) }]), [
    { id: "groupingToMatrix", options: { rowField: "queue", columnField: "state", valueField: "Value", emptyValue: "null" } },
    { id: "organize", options: { indexByName: { "queue\\state": 0, failed: 2, waiting: 1 }, renameByName: { "queue\\state": "Queue" } } },
  ]);
  expect(table.columns.map(({ name, cells }) => [name, cells])).toEqual([
    ["Queue", ["mail", "audio"]],
    ["waiting", [3, 12]],
    ["failed", [1, null]],
  ]);
  expect(order(table, { column: "Queue", isDescending: false })).toEqual([1, 0]);
  expect(order(table, { column: "failed", isDescending: true })).toEqual([0, 1]);
  expect(order(table, { column: "failed", isDescending: false })).toEqual([0, 1]);
});

test("merge joins the values of several queries about one series", () => {
  const one = (query: string, value: string) => ({ query, legend: undefined, series: sampled({ resultType: "vector", result: [{ metric: { a: "x" }, value: [1, value] }] }) });
  const merged = transformed(tableOf([one("A", "1"), one("B", "2")]), [{ id: "merge", options: {} }]);
  expect(merged.columns.map(({ name, cells }) => [name, cells])).toEqual([
    ["Time", [1000]],
    ["a", ["x"]],
    ["Value #A", [1]],
    ["Value #B", [2]],
  ]);
});

test("time ranges are relative or absolute", () => {
  expect(interval({ from: "now-3h", to: "now" }, 100_000)).toEqual({ from: 89_200, to: 100_000 });
  expect(interval({ from: "1700000000000", to: "1700000060000" }, 0)).toEqual({ from: 1_700_000_000, to: 1_700_000_060 });
  for (const range of [{ from: "now", to: "now-1h" }, { from: "yesterday", to: "now" }, { from: "now-1x", to: "now" }]) expect(interval(range, 1000)).toBeUndefined();
});

test("steps are round, not below the scrape interval, and refreshes evaluate the same times", () => {
  expect(stepFor({ from: 0, to: 10_800 }, 500)).toBe(30);
  expect(stepFor({ from: 0, to: 300 }, 500)).toBe(15);
  expect(stepFor({ from: 0, to: 86_400 }, 500)).toBe(300);
  expect(aligned({ from: 101, to: 399 }, 30)).toEqual({ from: 90, to: 390 });
  expect(macros({ from: 0, to: 10_800 }, 30)).toMatchObject({ __rate_interval: "1m", __interval: "30s", __range: "3h", __range_s: "10800" });
  expect(macros({ from: 0, to: 10_800 }, 60).__rate_interval).toBe("75s");
  expect(promDuration(0.2)).toBe("1s");
});

test("variables are inserted as Grafana does", () => {
  const { variables, unsupported } = variablesOf({
    list: [
      { type: "datasource", name: "datasource" },
      { type: "query", name: "queue", query: { query: 'label_values(jobs{job=~"$job"}, queue)' }, multi: true, includeAll: true, allValue: ".+", sort: 1 },
      { type: "custom", name: "unit", query: "a, b\\,c" },
      { type: "query", name: "other", query: "query_result(up)" },
      { type: "groupby", name: "by" },
    ],
  });
  expect(unsupported).toEqual(["variable other: query_result(up)", "variable by: type groupby"]);
  const [queue, unit] = variables;
  if (queue === undefined || unit === undefined) throw new Error("both are supported");
  expect(queue.source).toEqual({ metric: 'jobs{job=~"$job"}', label: "queue" });
  expect(unit.source).toEqual({ values: ["a", "b,c"] });
  expect(labelValues("label_values(job)")).toEqual({ metric: "", label: "job" });
  const among = choices(queue, ["b", "a", "b"]);
  expect(among).toEqual(["a", "b"]);
  expect(selected(queue, ["gone"], among)).toEqual([ALL]);
  expect(selected(unit, undefined, ["a"])).toEqual(["a"]);
  const expression = 'x{queue=~"$queue",a=~"${queue:pipe}"}[$__rate_interval]';
  const macro = { __rate_interval: "1m" };
  expect(insert(expression, { ...macro, queue: insertionOf(queue, [ALL], among) })).toBe('x{queue=~".+",a=~".+"}[1m]');
  expect(insert(expression, { ...macro, queue: insertionOf(queue, ["a.b", "c"], among) })).toBe('x{queue=~"(a\\\\.b|c)",a=~"a.b|c"}[1m]');
  expect(insert('label_replace(x, "a", "$1", "b", "(.*)")', {})).toContain('"$1"');
  expect(() => insert("$unknown", {})).toThrow(UnknownVariable);
  expect(() => insert("${queue:sqlstring}", { queue: insertionOf(queue, [ALL], among) })).toThrow(UnknownVariable);
});

test("the threshold of a rule is that of its only comparison", () => {
  const cases: [string, ReturnType<typeof thresholdOf>][] = [
    ["sum(rate(http_requests_errors_total[5m])) > 5", { operator: ">", value: 5 }],
    ['queue_jobs_total{state="a > 3"} >= 5e2', { operator: ">=", value: 500 }],
    ["histogram_quantile(0.95, sum(rate(x[5m])) by (le)) > 1 # one second", { operator: ">", value: 1 }],
    ["socket_active_connections < 1", { operator: "<", value: 1 }],
    ["a > 1 or b > 2", undefined],
    ["a > b", undefined],
    ["absent(up)", undefined],
    ["(a > 3)", undefined],
    ["1 < a > 2", undefined],
  ];
  for (const [expression, expected] of cases) expect(thresholdOf(expression), expression).toEqual(expected);
});

const rules = (alerts: object[]) => ({ groups: [{ rules: [{ type: "alerting", name: "A", query: "x > 5", health: "ok", alerts }, { type: "recording", name: "r" }] }] });
const alert = (more: object, severity = "warning") => ({
  labels: { alertname: "A", severity, queue: "mail" },
  annotations: { summary: "s", runbook_url: "https://x/A.md" },
  state: "firing",
  activeAt: "2026-01-01T00:00:00Z",
  value: "1.2e+01",
  ...more,
});

test("alerts are read and ordered by urgency", () => {
  const { alerts, rules: count } = alertsOf(
    rules([alert({ state: "pending" }), alert({ unknownSince: "2026-01-01T00:10:00Z" }), alert({}), alert({ annotations: { runbook_url: "javascript:alert(1)" } }, "critical")]),
  );
  expect(count).toBe(1);
  expect(alerts.map(({ state, severity }) => [state, severity])).toEqual([["firing", "critical"], ["firing", "warning"], ["unknown", "warning"], ["pending", "warning"]]);
  expect(alerts[0]?.runbook).toBeUndefined();
  expect(alerts[1]).toMatchObject({ name: "A", labels: { queue: "mail" }, value: 12, threshold: { operator: ">", value: 5 }, runbook: "https://x/A.md" });
});

const ready = (status: string, checks: object) => readinessOf({ status, checks });

test("the worst of checks and alerts decides, with the time at which it began", () => {
  const known = { readiness: ready("ok", { redis: { status: "ok", since: "2026-01-01T00:00:00Z" } }), alerts: alertsOf(rules([])), lostSince: undefined, lastFired: undefined, isRefused: false };
  const start = Date.parse("2026-01-01T00:00:00Z") / 1000;
  expect(overall(known)).toEqual({ level: "ok", reasons: [], since: start });
  expect(overall({ ...known, lastFired: start + 60 }).since).toBe(start + 60);
  expect(overall({ ...known, alerts: alertsOf(rules([alert({ state: "pending" })])) }).level).toBe("ok");
  expect(overall({ ...known, alerts: alertsOf(rules([alert({})])) })).toMatchObject({ level: "degraded", since: start });
  expect(overall({ ...known, alerts: alertsOf(rules([alert({ unknownSince: "2026-01-01T00:00:09Z" }, "critical")])) })).toMatchObject({ level: "degraded", since: start + 9 });
  expect(overall({ ...known, alerts: alertsOf(rules([alert({}, "critical"), alert({})])) }).reasons.length).toBe(1);
  const optional = ready("degraded", { app: { status: "failed", required: false, since: "2026-01-01T00:01:00Z", error: "refused" } });
  expect(overall({ ...known, readiness: optional }).level).toBe("degraded");
  const failed = ready("failed", { redis: { status: "failed", since: "2026-01-01T00:01:00Z" } });
  expect(overall({ ...known, readiness: failed })).toMatchObject({ level: "failing", since: start + 60 });
  expect(overall({ ...known, readiness: ready("pending", { redis: { status: "pending" } }) }).level).toBe("unknown");
  expect(overall({ ...known, readiness: failed, lostSince: 7 })).toEqual({ level: "unknown", reasons: [{ kind: "lost" }], since: 7 });
  expect(overall({ ...known, readiness: failed, isRefused: true })).toEqual({ level: "unknown", reasons: [{ kind: "refused" }], since: undefined });
});

test("without credentials the same rules decide, without names and times", () => {
  const told = (status: string, checks: object[], alerts: string) => {
    const outline = outlineOf({ status, checks, alerts });
    return outline === undefined ? undefined : outlined(outline);
  };
  const ok = { status: "ok", required: true };
  expect(told("ok", [ok, ok], "none")).toEqual({ level: "ok", reasons: [], since: undefined });
  for (const worst of ["firing", "unknown"]) expect(told("ok", [ok], worst)).toMatchObject({ level: "degraded", since: undefined });
  expect(told("ok", [ok], "critical")).toMatchObject({ level: "failing", reasons: [{ kind: "alert", alert: { name: "", labels: {} } }] });
  expect(told("degraded", [ok, { status: "failed", required: false }], "none")).toMatchObject({ level: "degraded", reasons: [{ check: { name: "2" } }] });
  expect(told("failed", [{ status: "failed", required: true }], "none")?.level).toBe("failing");
  expect(told("pending", [{ status: "pending", required: true }], "none")?.level).toBe("unknown");
  expect(told("draining", [ok], "none")?.level).toBe("unknown");
  for (const [status, worst] of [["ok", "other"], ["other", "none"]] as const) expect(told(status, [], worst)).toBeUndefined();
  expect(outlineOf(null)).toBeUndefined();
});

test("the answer of a proxy is not one of Vigie", () => {
  for (const json of [null, "x", {}, { status: "error" }]) expect(readinessOf(json)).toBeUndefined();
});

test("queues are sorted by any column, with unknown values last", () => {
  const answer = { queues: { a: { waiting: 3, paused: true, oldest_waiting_seconds: null }, b: { waiting: 12 }, c: {} } };
  const series = (queue: string, value: number) => ({ labels: { queue }, samples: [[0, value]] as [number, number][] });
  const queues = queuesOf(answer, { failures: [series("a", 2)], p95: [series("a", Number.NaN)], trend: [{ name: "b", values: [1, null] }] });
  expect(queues[0]).toMatchObject({ name: "a", isPaused: true, figures: { waiting: 3, failures: 2, p95: null, oldest: null, workers: null }, trend: [] });
  expect(queues[1]?.trend).toEqual([1, null]);
  const names = (order: Order) => sorted(queues, order).map(({ name }) => name);
  expect(names({ by: "waiting", isDescending: true })).toEqual(["b", "a", "c"]);
  expect(names({ by: "waiting", isDescending: false })).toEqual(["a", "b", "c"]);
  expect(names(clicked({ by: "waiting", isDescending: true }, "name"))).toEqual(["a", "b", "c"]);
  expect(clicked({ by: "name", isDescending: false }, "p95")).toEqual({ by: "p95", isDescending: true });
  expect(queuesOf({ error: "no queue is watched" }, { failures: [], p95: [], trend: [] })).toEqual([]);
});

test("the address restores the view", () => {
  const view = { page: "details", range: { from: "now-1h", to: "now" }, refresh: "5s", selection: { queue: ["a&b", "c d"] }, query: "", isTable: false };
  expect(viewOf(hashOf(view))).toEqual(view);
  const query = 'rate(http{route=~"/a?b&c=1 +#é"}[5m])\n> 3';
  const explored = { ...view, page: EXPLORE, selection: {}, query, isTable: true };
  expect(viewOf(hashOf(explored))).toEqual(explored);
  expect(viewOf(hashOf(pageOf(explored, "queues")))).toEqual({ ...view, page: "queues", selection: {} });
  expect(viewOf("")).toEqual({ page: "", range: undefined, refresh: undefined, selection: {}, query: "", isTable: false });
  expect(viewOf("#/%E0%A4%A")).toMatchObject({ page: "%E0%A4%A" });
});

test("durations are written in one or two units", () => {
  const units = { m: "min", h: "h", d: "j" };
  expect([4, 119, 3600, 7500, 90_000, 864_000].map((seconds) => elapsed(seconds, units))).toEqual(["4 s", "1 min", "1 h", "2 h 5 min", "1 j 1 h", "10 j"]);
});

test("Markdown becomes blocks; HTML and other links stay text", () => {
  const paragraph = (text: string) => ({ kind: "paragraph", inside: [{ kind: "text", text }] });
  expect(blocks("# A\ntext *b*\n- one\n- two\n\n```\ncode\n```")).toEqual([
    { kind: "heading", level: 1, inside: [{ kind: "text", text: "A" }] },
    { kind: "paragraph", inside: [{ kind: "text", text: "text " }, { kind: "emphasis", text: "b" }] },
    { kind: "list", isOrdered: false, items: [[paragraph("one")], [paragraph("two")]] },
    { kind: "code", text: "code" },
  ]);
  expect(inline("[x](javascript:y) <script>")).toEqual([{ kind: "text", text: "[x](javascript:y)" }, { kind: "text", text: " <script>" }]);
});

test("a query is taken along with its variables, and its macros stay", () => {
  const [queue] = variablesOf({ list: [{ type: "query", name: "queue", query: "label_values(queue)", multi: true }] }).variables;
  if (queue === undefined) throw new Error("no variable");
  const values = { queue: insertionOf(queue, ["a.b", "c"], ["a.b", "c"]) };
  expect(withVariables('rate(jobs{queue=~"$queue"}[$__rate_interval]) + ${other}', values)).toBe('rate(jobs{queue=~"(a\\\\.b|c)"}[$__rate_interval]) + $other');
});

test("addresses in Grafana contain the time and the variables", () => {
  const range = { from: "now-1h", to: "now" };
  expect(panelLink("https://grafana.example/", "vigie", 7, range, { queue: ["a b", "$__all"] })).toBe(
    "https://grafana.example/d/vigie?viewPanel=7&from=now-1h&to=now&var-queue=a+b&var-queue=%24__all",
  );
  const explore = new URL(exploreLink("https://grafana.example/g", ['up{a="b&c"}'], range));
  expect(explore.pathname).toBe("/g/explore");
  expect(JSON.parse(explore.searchParams.get("panes") ?? "")).toMatchObject({ a: { queries: [{ refId: "A", expr: 'up{a="b&c"}' }], range } });
});

test("the data of a panel is exported with its queries, and without values that JSON does not have", () => {
  const frame = frameOf([{ query: "A", legend: "", series: sampled(matrix({ route: "/a" }, [[0, "1"], [15, "2"]])) }], 0, 15, 15);
  const chart = exported("HTTP", { from: 0, to: 15 }, { queries: ["up"], table: undefined, frame });
  expect(chart).toEqual({
    title: "HTTP",
    from: "1970-01-01T00:00:00.000Z",
    to: "1970-01-01T00:00:15.000Z",
    queries: ["up"],
    times: ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:15.000Z"],
    series: [{ name: '{route="/a"}', labels: { route: "/a" }, values: [1, 2] }],
  });
  const table = { columns: [{ name: "q", type: "text" as const, cells: ["a", null] }, { name: "Value", type: "number" as const, cells: [Infinity, NaN] }] };
  expect(exported("T", { from: 0, to: 1 }, { queries: [], table, frame: undefined })).toMatchObject({ rows: [{ q: "a", Value: "+Inf" }, { q: null, Value: "NaN" }] });
});

test("a range of samples in a table has a row for each", () => {
  const table = tableOf([{ query: "A", legend: undefined, series: sampled(matrix({ job: "a" }, [[15, "1"], [30, "2"]])) }]);
  expect(table.columns.map(({ name, cells }) => [name, cells])).toEqual([
    ["Time", [15_000, 30_000]],
    ["job", ["a", "a"]],
    ["Value", [1, 2]],
  ]);
});
