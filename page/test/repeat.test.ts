import { expect, test } from "vitest";

import { dashboardOf } from "../src/model/dashboard.ts";
import { expanded, scoped } from "../src/model/repeat.ts";
import { type Insertion, inTitle } from "../src/model/variables.ts";

const insertion = (...values: string[]): Insertion => ({ values, verbatim: ".+", isSet: true });
const at = (y: number, x = 0, w = 12) => ({ x, y, w, h: 8 });
const graph = (title: string, more: object) => ({ type: "timeseries", title, targets: [{ expr: title }], ...more });

const laidOut = (panels: object[], insertions: Record<string, Insertion>) => {
  const { sections, left } = expanded(dashboardOf({ panels }).sections, insertions);
  return { left, sections, places: sections.flatMap(({ panels }) => panels.map(({ title, place: { x, y, w }, scope }) => [title, Object.values(scope).join(), x, y, w])) };
};

test("a panel is repeated side by side, in rows of at most so many, and what is below moves down", () => {
  const panels = [
    graph("above", { gridPos: at(0) }),
    graph("each", { gridPos: at(8), repeat: "queue", maxPerRow: 2 }),
    graph("beside", { gridPos: at(8, 12) }),
    graph("below", { gridPos: at(16) }),
  ];
  expect(laidOut(panels, { queue: insertion("a", "b", "c") }).places).toEqual([
    ["above", "", 0, 0, 12],
    ["each", "a", 0, 8, 12],
    ["each", "b", 12, 8, 12],
    ["each", "c", 0, 16, 12],
    ["beside", "", 12, 8, 12],
    ["below", "", 0, 24, 12],
  ]);
  // Without another number four are in a row, and fewer values take the whole width.
  const plain = [graph("each", { gridPos: at(0), repeat: "queue" })];
  expect(laidOut(plain, { queue: insertion("a") }).places).toEqual([["each", "a", 0, 0, 24]]);
  expect(laidOut(plain, { queue: insertion("a", "b", "c", "d", "e") }).places.map(([, , x, y, w]) => [x, y, w])).toEqual([[0, 0, 6], [6, 0, 6], [12, 0, 6], [18, 0, 6], [0, 8, 6]]);
});

test("a panel is repeated downwards at its own width", () => {
  const panels = [graph("each", { gridPos: at(0, 12), repeat: "queue", repeatDirection: "v" }), graph("below", { gridPos: at(8) })];
  expect(laidOut(panels, { queue: insertion("a", "b") }).places).toEqual([
    ["each", "a", 12, 0, 12],
    ["each", "b", 12, 8, 12],
    ["below", "", 0, 16, 12],
  ]);
});

test("a row is repeated with its panels, also a collapsed one", () => {
  const open = [
    { type: "row", title: "Queue $queue", repeat: "queue", gridPos: at(0) },
    graph("one", { gridPos: at(1) }),
    graph("each", { gridPos: at(9), repeat: "queue" }),
    graph("by host", { gridPos: at(17), repeat: "host" }),
  ];
  const collapsed = [{ ...open[0], collapsed: true, panels: open.slice(1) }];
  for (const panels of [open, collapsed]) {
    const { sections } = laidOut(panels, { queue: insertion("a", "b"), host: insertion("x", "y") });
    expect(sections.map(({ scope }) => scope)).toEqual([{ queue: "a" }, { queue: "b" }]);
    expect(sections[1]?.panels.map(({ title, scope }) => [title, scope])).toEqual([
      ["one", { queue: "b" }],
      ["each", { queue: "b" }],
      ["by host", { queue: "b", host: "x" }],
      ["by host", { queue: "b", host: "y" }],
    ]);
    expect(sections.map(({ isCollapsed }) => isCollapsed)).toEqual(Array(2).fill(panels === collapsed));
  }
});

test("the query of a copy has its value alone", () => {
  const all = { queue: insertion("a", "b"), host: insertion("x") };
  expect(scoped(all, { queue: "b" })).toEqual({ queue: { values: ["b"], verbatim: undefined, isSet: true }, host: insertion("x") });
  expect(scoped(all, {})).toBe(all);
  expect(inTitle("$queue of ${host:text} and [[missing]] at $1", { queue: ["b"], host: ["$__all"] }, "All")).toBe("b of All and [[missing]] at $1");
});

test("copies are bounded, and a variable that is not known is named", () => {
  const many = Array.from({ length: 70 }, (_, at) => String(at));
  const panels = [graph("each", { gridPos: at(0), repeat: "queue" })];
  const { left, places } = laidOut(panels, { queue: insertion(...many) });
  expect([places.length, left]).toEqual([50, [{ variable: "queue", count: 20 }]]);
  expect(laidOut(panels, { queue: insertion() }).places).toEqual([["each", "", 0, 0, 12]]);
  for (const variable of ["other", "constructor"]) {
    const { sections } = laidOut([graph("each", { repeat: variable })], { queue: insertion("a") });
    expect(sections[0]?.panels.map(({ unsupported }) => unsupported)).toEqual([[`repeated by ${variable}`]]);
  }
  const rows = laidOut([{ type: "row", title: "r", repeat: "other" }, graph("in it", { gridPos: at(1) })], {});
  expect(rows.sections[0]?.panels[0]?.unsupported).toEqual(["row repeated by other"]);
});

test("copies that older versions of Grafana saved are left out", () => {
  const panels = [
    graph("each", { gridPos: at(0), repeat: "queue", scopedVars: { queue: { value: "a" } } }),
    graph("each", { gridPos: at(0, 12), repeatPanelId: 1, repeatIteration: 1, scopedVars: { queue: { value: "b" } } }),
    { type: "row", title: "r", gridPos: at(9), repeatPanelId: 3, panels: [] },
  ];
  expect(laidOut(panels, { queue: insertion("a", "b") }).places.map(([, value]) => value)).toEqual(["a", "b"]);
});
