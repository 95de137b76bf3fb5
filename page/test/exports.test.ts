import { expect, test } from "vitest";

import { paletteColor } from "../src/model/colors.ts";
import { dashboardOf, type Panel } from "../src/model/dashboard.ts";
import { type Frame, tableOf } from "../src/model/frame.ts";
import { blocks } from "../src/model/markdown.ts";
import { legendOf, linesOf } from "../src/model/plot.ts";
import { singlesOf } from "../src/model/stat.ts";
import { tracksOf } from "../src/model/timeline.ts";
import { transformed } from "../src/model/transform.ts";
import { dashboardJson, panelOf, TYPES, VERSIONS } from "./grafana.ts";

const frame: Frame = { times: [0, 15, 30], series: [{ name: "a", labels: {}, query: "A", values: [1, 81, 90] }, { name: "b", labels: {}, query: "A", values: [0, null, 2] }] };

/** The values that the panel shows, as text. */
const drawn = (panel: Panel): unknown => {
  switch (panel.type) {
    case "timeseries":
      return linesOf(panel, frame, "dark").map(({ name, color, values }) => [name, color, values]);
    case "stat":
    case "gauge":
    case "bargauge":
      return singlesOf(panel, frame, "dark").map(({ name, display }) => [name, display.text]);
    case "table":
      return transformed(tableOf([{ query: "A", legend: undefined, series: [{ labels: { job: "x" }, samples: [[30, 7]] }] }]), panel.transforms).columns.map(({ name, cells }) => [name, cells]);
    case "state-timeline":
      return tracksOf(panel, frame, "dark").map(({ segments }) => segments.map(({ from, to, text }) => [from, to, text]));
    default:
      return blocks(String(panel.options.content)).length;
  }
};

const EXPECTED: Record<string, unknown> = {
  timeseries: [["a", paletteColor(0, "dark"), [1, 81, 90]], ["b", paletteColor(1, "dark"), [0, null, 2]]],
  stat: [["a", "90"], ["b", "2"]],
  gauge: [["a", "90"], ["b", "2"]],
  bargauge: [["a", "90"], ["b", "2"]],
  table: [["Time", [30_000]], ["job", ["x"]], ["Value", [7]]],
  "state-timeline": [[[0, 15, "1"], [15, 30, "81"], [30, 45, "90"]], [[0, 15, "0"], [30, 45, "2"]]],
  text: 1,
};

for (const version of VERSIONS) {
  test(`every type of panel is drawn as Grafana ${version} exports it`, () => {
    const dashboard = dashboardOf(dashboardJson(version, TYPES.map((type, at) => panelOf(type, version, { id: at + 1, gridPos: { h: 8, w: 12, x: 0, y: 8 * at } }))));
    expect([dashboard.title, dashboard.unsupported]).toEqual([`Exported by Grafana ${version}`, []]);
    const panels = dashboard.sections.flatMap(({ panels }) => panels);
    expect(panels.map(({ type, unsupported }) => [type, unsupported])).toEqual(TYPES.map((type) => [type, []]));
    for (const panel of panels) expect(drawn(panel), panel.type).toEqual(EXPECTED[panel.type]);
    const [first] = panels;
    if (first === undefined) throw new Error("a panel");
    expect(legendOf(first, linesOf(first, frame, "dark"))).toMatchObject({ isShown: true, isRight: false });
  });

  test(`rows are those of Grafana ${version}`, () => {
    const row = (title: string, y: number, panels: object[], more: object = {}) => ({ collapsed: panels.length > 0, gridPos: { h: 1, w: 24, x: 0, y }, id: 90 + y, panels, title, type: "row", ...more });
    const inside = panelOf("stat", version, { id: 7, gridPos: { h: 8, w: 12, x: 0, y: 11 } });
    const { sections } = dashboardOf(dashboardJson(version, [row("Open", 0, []), panelOf("timeseries", version, { gridPos: { h: 8, w: 12, x: 0, y: 1 } }), row("Closed", 10, [inside], { repeat: "queue" })]));
    expect(sections.map(({ title, isCollapsed, repeat, panels }) => [title, isCollapsed, repeat, panels.length])).toEqual([
      ["Open", false, undefined, 1],
      ["Closed", true, "queue", 1],
    ]);
  });

  test(`a feature that is not drawn is named, in an export of Grafana ${version}`, () => {
    const heatmap = panelOf("heatmap", version);
    const change = panelOf("stat", version, { options: { reduceOptions: { calcs: ["diffperc"], fields: "", values: false } } });
    const moved = panelOf("timeseries", version, { timeFrom: "1h", transformations: [{ id: "calculateField", options: {} }] });
    const { sections } = dashboardOf(dashboardJson(version, [heatmap, change, moved]));
    expect(sections[0]?.panels.map(({ unsupported }) => unsupported)).toEqual([["panel heatmap"], ["calculation diffperc"], ["its own time range", "transformation calculateField"]]);
  });
}

test("a resource of Grafana 12 with the classic model is drawn", () => {
  const spec = dashboardJson(12, [panelOf("stat", 12)]);
  for (const apiVersion of ["dashboard.grafana.app/v0alpha1", "dashboard.grafana.app/v1beta1"]) {
    const dashboard = dashboardOf({ apiVersion, kind: "Dashboard", metadata: { name: "a1b2c3" }, spec });
    expect([dashboard.title, dashboard.unsupported, dashboard.sections[0]?.panels.length]).toEqual(["Exported by Grafana 12", [], 1]);
  }
});

test("the schema v2 of Grafana 12 is named as unsupported", () => {
  const spec = {
    title: "New",
    elements: { "panel-1": { kind: "Panel", spec: { id: 1, title: "a", vizConfig: { kind: "timeseries", spec: {} }, data: { kind: "QueryGroup", spec: { queries: [] } } } } },
    layout: { kind: "GridLayout", spec: { items: [{ kind: "GridLayoutItem", spec: { x: 0, y: 0, width: 12, height: 8, element: { kind: "ElementReference", name: "panel-1" } } }] } },
  };
  for (const json of [spec, { apiVersion: "dashboard.grafana.app/v2alpha1", kind: "Dashboard", metadata: {}, spec }]) {
    const dashboard = dashboardOf(json);
    expect(dashboard.sections).toEqual([]);
    expect(dashboard.unsupported).toEqual(["dashboard in the schema v2 of Grafana: export it in the classic model"]);
  }
});
