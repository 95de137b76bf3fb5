import { readdirSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { dashboardOf } from "../src/model/dashboard.ts";
import { object, objects } from "../src/model/json.ts";

const directory = new URL("../../dashboards/", import.meta.url);
const files = readdirSync(directory).filter((file) => file.endsWith(".json"));
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, directory), "utf8"));

test("every panel of our dashboards is supported", () => {
  expect(files).toContain("vigie.json");
  for (const file of files) {
    const json = read(file);
    const dashboard = dashboardOf(json);
    expect(dashboard.unsupported, file).toEqual([]);
    const panels = dashboard.sections.flatMap((section) => section.panels);
    for (const panel of panels) expect(panel.unsupported, `${file}: ${panel.title}`).toEqual([]);
    const drawn = objects(object(json).panels).filter(({ type }) => type !== "row");
    expect(panels.length, file).toBe(drawn.length);
  }
});

const panel = (json: object) => dashboardOf({ panels: [{ type: "timeseries", title: "t", gridPos: { x: 0, y: 0, w: 12, h: 8 }, ...json }] }).sections[0]?.panels[0];

test("what cannot be drawn as Grafana does is named", () => {
  const cases: [object, string][] = [
    [{ type: "heatmap" }, "panel heatmap"],
    [{ timeFrom: "1h" }, "its own time range"],
    [{ transformations: [{ id: "calculateField" }] }, "transformation calculateField"],
    [{ targets: [{ expr: "up", datasource: { type: "loki" } }] }, "data source loki"],
    [{ targets: [{ rawSql: "SELECT 1" }] }, "a query that is not PromQL"],
    [{ targets: [{ expr: "up", format: "heatmap" }] }, "format heatmap"],
    [{ fieldConfig: { defaults: { unit: "dateTimeAsIso" } } }, "unit dateTimeAsIso"],
    [{ fieldConfig: { defaults: { color: { mode: "continuous-GrYlRd" } } } }, "color continuous-GrYlRd"],
    [{ fieldConfig: { defaults: { custom: { scaleDistribution: { type: "log", log: 10 } } } } }, "scaleDistribution log"],
    [{ fieldConfig: { defaults: { custom: { axisPlacement: "right" } } } }, "axisPlacement right"],
    [{ fieldConfig: { defaults: { custom: { fillBelowTo: "min" } } } }, "fillBelowTo min"],
    [{ fieldConfig: { defaults: { custom: { stacking: { mode: "percent" } } } } }, "stacking percent"],
    [{ fieldConfig: { overrides: [{ matcher: { id: "byValue" }, properties: [] }] } }, "override byValue"],
    [{ fieldConfig: { overrides: [{ matcher: { id: "byName", options: "a" }, properties: [{ id: "custom.transform", value: "negative-Y" }] }] } }, "transform negative-Y"],
    [{ options: { legend: { calcs: ["variance"] } } }, "calculation variance"],
    [{ type: "table", targets: [{ expr: "a", format: "table", instant: true }, { expr: "b", format: "table", instant: true }] }, "several queries in a table"],
    [{ type: "table", targets: [{ expr: "a", format: "table" }] }, "a table of a range of time"],
    [{ type: "stat", options: { showPercentChange: true } }, "percent change"],
    [{ type: "gauge", options: { showThresholdLabels: true } }, "labels of thresholds"],
    [{ type: "text", options: { mode: "html", content: "<b>" } }, "HTML"],
  ];
  for (const [json, expected] of cases) expect(panel(json)?.unsupported).toEqual([expected]);
});

/** As Grafana 11 exports a panel with every default written out. */
const EXPORTED = {
  datasource: { type: "prometheus", uid: "${DS_PROMETHEUS}" },
  fieldConfig: {
    defaults: {
      color: { mode: "palette-classic" },
      custom: {
        axisBorderShow: false,
        axisCenteredZero: false,
        axisColorMode: "text",
        axisLabel: "",
        axisPlacement: "auto",
        barAlignment: 0,
        barWidthFactor: 0.6,
        drawStyle: "line",
        fillOpacity: 0,
        gradientMode: "none",
        hideFrom: { legend: false, tooltip: false, viz: false },
        insertNulls: false,
        lineInterpolation: "linear",
        lineWidth: 1,
        pointSize: 5,
        scaleDistribution: { type: "linear" },
        showPoints: "auto",
        spanNulls: false,
        stacking: { group: "A", mode: "none" },
        thresholdsStyle: { mode: "off" },
      },
      mappings: [],
      thresholds: { mode: "absolute", steps: [{ color: "green" }, { color: "red", value: 80 }] },
    },
    overrides: [],
  },
  options: { legend: { calcs: [], displayMode: "list", placement: "bottom", showLegend: true }, tooltip: { hideZeros: false, mode: "single", sort: "none" } },
  targets: [{ editorMode: "code", expr: "up", legendFormat: "__auto", range: true, refId: "A" }],
};

test("the defaults that Grafana writes out are supported", () => {
  expect(panel(EXPORTED)?.unsupported).toEqual([]);
});

test("panels belong to the row above them, and those of a collapsed row are inside of it", () => {
  const at = (y: number) => ({ x: 0, y, w: 12, h: 8 });
  const { sections } = dashboardOf({
    panels: [
      { type: "timeseries", title: "c", gridPos: at(20) },
      { type: "timeseries", title: "a", gridPos: at(0) },
      { type: "row", title: "One", gridPos: at(10) },
      { type: "timeseries", title: "b", gridPos: at(11) },
      { type: "row", title: "Two", collapsed: true, gridPos: at(30), panels: [{ type: "stat", title: "d", gridPos: at(31) }] },
    ],
  });
  expect(sections.map(({ title, isCollapsed, panels }) => [title, isCollapsed, panels.map((panel) => panel.title)])).toEqual([
    ["", false, ["a"]],
    ["One", false, ["b", "c"]],
    ["Two", true, ["d"]],
  ]);
});

test("JSON of another shape is an empty dashboard", () => {
  for (const json of [null, 3, [], { panels: {} }, { panels: [3, null] }]) expect(dashboardOf(json).sections).toEqual([]);
});
