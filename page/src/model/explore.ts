/** The panel of a query that a user wrote. */

import type { Panel } from "./dashboard.ts";

const COMMON = { id: 0, description: "", place: { x: 0, y: 0, w: 24, h: 20 }, transforms: [], repeat: undefined, scope: {}, unsupported: [] };

export const explored = (query: string, title: string, isTable: boolean): Panel => ({
  ...COMMON,
  type: isTable ? "table" : "timeseries",
  title,
  targets: [{ refId: "A", expr: query, legend: undefined, isInstant: isTable, interval: undefined }],
  options: isTable
    ? { showHeader: true, sortBy: [{ displayName: "Value", desc: true }] }
    : { legend: { showLegend: true, displayMode: "table", placement: "bottom", calcs: ["min", "mean", "max", "lastNotNull"] }, tooltip: { mode: "multi", sort: "desc" } },
  fieldConfig: { defaults: { unit: isTable ? "none" : "short", color: { mode: "palette-classic" }, custom: { fillOpacity: 0, spanNulls: false } }, overrides: [] },
});
