/** Addresses in Grafana. */

import type { Range } from "./time.ts";
import type { Selection } from "./variables.ts";

/** A panel of a dashboard that Grafana has too, under the same `uid`. */
export const panelLink = (grafana: string, uid: string, panel: number, range: Range, selection: Selection): string => {
  const parameters = new URLSearchParams({ viewPanel: String(panel), from: range.from, to: range.to });
  for (const [name, values] of Object.entries(selection)) for (const value of values) parameters.append(`var-${name}`, value);
  return `${grafana.replace(/\/$/, "")}/d/${encodeURIComponent(uid)}?${parameters}`;
};

/** Queries in Grafana's Explore, over its default source of data. */
export const exploreLink = (grafana: string, queries: readonly string[], range: Range): string => {
  const pane = { datasource: null, queries: queries.map((expr, at) => ({ refId: String.fromCharCode(65 + (at % 26)), expr })), range };
  const parameters = new URLSearchParams({ schemaVersion: "1", panes: JSON.stringify({ a: pane }) });
  return `${grafana.replace(/\/$/, "")}/explore?${parameters}`;
};
