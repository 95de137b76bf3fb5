import { expect, test } from "vitest";

import { onColor } from "../src/model/colors.ts";
import { dashboardOf, type Panel } from "../src/model/dashboard.ts";
import { display, fieldOf } from "../src/model/field.ts";
import type { Frame } from "../src/model/frame.ts";
import { legendOf, linesOf, rowsOf, scale, stacked } from "../src/model/plot.ts";
import { part, singlesOf } from "../src/model/stat.ts";
import { tracksOf } from "../src/model/timeline.ts";
import { clicked } from "../src/view/legend.tsx";

const panel = (json: object): Panel => {
  const found = dashboardOf({ panels: [{ type: "timeseries", ...json }] }).sections[0]?.panels[0];
  if (found === undefined) throw new Error("one panel");
  return found;
};
const frame = (...series: [string, (number | null)[]][]): Frame => ({
  times: [0, 15, 30],
  series: series.map(([name, values]) => ({ name, values, labels: {}, query: "A" })),
});

test("stacked lines are cumulated, and filled down to the visible line below", () => {
  const stacking = panel({ fieldConfig: { defaults: { custom: { stacking: { mode: "normal" } } } } });
  const lines = linesOf(stacking, frame(["a", [1, 2, null]], ["b", [10, null, null]], ["c", [100, 100, 100]]), "dark");
  expect(stacked(lines, () => true)).toEqual({ values: [[1, 2, 0], [11, 2, 0], [111, 102, 100]], bands: [[1, 0], [2, 1]], isStacked: true });
  const without = stacked(lines, ({ name }) => name !== "b");
  expect(without.values).toEqual([[1, 2, 0], [null, null, null], [101, 102, 100]]);
  expect(without.bands).toEqual([[2, 0]]);
});

test("the value axis holds the data, within the limits of the field", () => {
  const drawn = (...values: (number | null)[]) => ({ values: [values], bands: [], isStacked: false });
  const free = { min: undefined, max: undefined, unit: "" };
  expect(scale(drawn(null), { ...free, min: 0 })).toEqual({ min: 0, max: 1 + 0.08 });
  expect(scale(drawn(0, 0), { ...free, min: 0 })).toEqual({ min: 0, max: 1 });
  expect(scale(drawn(0, 100), free)).toEqual({ min: 0, max: 108 });
  expect(scale(drawn(1, 2), { ...free, max: 1 })).toMatchObject({ max: 1 });
  const { min, max } = scale(drawn(5, 5), { ...free, min: 9, max: 3 });
  expect(max).toBeGreaterThan(min);
});

test("overrides give series their own colour, and mappings their text", () => {
  const codes = panel({
    fieldConfig: {
      defaults: { color: { mode: "palette-classic" }, mappings: [{ type: "value", options: { "0": { text: "down", color: "red" } } }, { type: "range", options: { from: 10, to: null, result: { text: "many" } } }] },
      overrides: [{ matcher: { id: "byRegexp", options: "/^5/" }, properties: [{ id: "color", value: { mode: "fixed", fixedColor: "red" } }, { id: "unit", value: "s" }] }],
    },
  });
  const [ok, bad] = linesOf(codes, frame(["200", [1]], ["503", [1]]), "dark");
  expect(bad?.color).toBe("#f2555f");
  expect(ok?.color).not.toBe(bad?.color);
  expect([ok?.field.unit, bad?.field.unit]).toEqual(["", "s"]);
  if (ok === undefined) throw new Error("two lines");
  expect(display(ok.field, 0, "dark")).toEqual({ text: "down", unit: "", color: "#f2555f" });
  expect(display(ok.field, 99, "dark").text).toBe("many");
  expect(display(ok.field, 3, "dark").text).toBe("3");
});

test("the value of a stat has the colour of its threshold", () => {
  const sockets = panel({
    type: "stat",
    fieldConfig: { defaults: { color: { mode: "thresholds" }, thresholds: { mode: "absolute", steps: [{ color: "red", value: null }, { color: "green", value: 1 }, { color: "red", value: 5000 }] } } },
  });
  const colors = singlesOf(sockets, frame(["a", [0]], ["b", [1]], ["c", [5000]]), "dark").map(({ color }) => color);
  expect(colors).toEqual(["#f2555f", "#58b368", "#f2555f"]);
});

test("percentages of a range are thresholds of its values", () => {
  const field = fieldOf({ defaults: { min: 0, max: 200, thresholds: { mode: "percentage", steps: [{ color: "green", value: null }, { color: "red", value: 50 }] } } }, { name: "a", type: "number", query: "A", labels: {} });
  expect([99, 100].map((value) => display(field, value, "dark").color)).toEqual(["#58b368", "#f2555f"]);
});

test("a gauge shows its part of the range", () => {
  const gauge = panel({ type: "gauge", fieldConfig: { defaults: { min: 0, max: 4 } } });
  const [one, over] = singlesOf(gauge, frame(["a", [1]], ["b", [9]]), "dark");
  if (one === undefined || over === undefined) throw new Error("two values");
  expect([part(one, [one, over]), part(over, [one, over])]).toEqual([0.25, 1]);
});

test("equal states are one segment, and a missing value ends it", () => {
  const states = panel({ type: "state-timeline", fieldConfig: { defaults: { mappings: [{ type: "value", options: { "1": { text: "up", color: "green" } } }] } } });
  const segments = (values: (number | null)[]) => tracksOf(states, { ...frame(["a", values]), times: values.map((_, at) => at * 15) }, "dark")[0]?.segments.map(({ from, to, text }) => [from, to, text]);
  expect(segments([1, 1, null, 1, 0])).toEqual([[0, 30, "up"], [45, 60, "up"], [60, 75, "0"]]);
});

test("the legend is sorted by its column; unknown values come last", () => {
  const sorted = panel({ options: { legend: { calcs: ["mean"], sortBy: "Max", sortDesc: true } } });
  const lines = linesOf(sorted, frame(["a", [1, 1]], ["b", [null, null]], ["c", [0, 5]]), "dark");
  expect(legendOf(sorted, lines).rows.map(({ name, values }) => [name, values])).toEqual([["c", [2.5]], ["a", [1]], ["b", [null]]]);
});

test("a click in the legend shows one series alone, and then all again", () => {
  const names = ["a", "b", "c"];
  const alone = clicked("a", names, new Set(), false);
  expect([...alone]).toEqual(["b", "c"]);
  expect(clicked("a", names, alone, false).size).toBe(0);
  expect([...clicked("b", names, new Set(), true)]).toEqual(["b"]);
  expect([...clicked("b", names, alone, true)]).toEqual(["c"]);
});

test("text on a colour is black or white, whichever has more contrast", () => {
  expect([onColor("#ffffff"), onColor("#000000"), onColor("#f2555f")]).toEqual(["#000000", "#ffffff", "#000000"]);
});

test("the rows of a table are spread over all times, the last one first", () => {
  expect(rowsOf(3, 60)).toEqual([2, 1, 0]);
  expect(rowsOf(10, 4)).toEqual([9, 6, 3, 0]);
  expect(rowsOf(0, 4)).toEqual([]);
  for (let count = 1; count < 300; count++) {
    const rows = rowsOf(count, 60);
    expect(rows.length).toBeLessThanOrEqual(60);
    expect(rows[0]).toBe(count - 1);
    expect(rows.at(-1)).toBeGreaterThanOrEqual(0);
  }
});
