/** What the page shows, as its address: `#/details?from=now-3h&to=now&var-queue=mail`, `#/explore?q=up&as=table`. */

import type { Range } from "./time.ts";
import type { Selection } from "./variables.ts";

export interface View {
  /** The name of a dashboard, `queues`, `queue/NAME`, `explore`, or `runbooks/NAME`; empty for the first page. */
  page: string;
  /** Absent for the range of the dashboard. */
  range: Range | undefined;
  /** The time between refreshes, as Grafana writes it; absent for that of the dashboard. */
  refresh: string | undefined;
  selection: Selection;
  /** The query that is explored. */
  query: string;
  /** Its result at the end of the range as a table, instead of a graph. */
  isTable: boolean;
}

/** The page of queries that users write. */
export const EXPLORE = "explore";

/** Another page at the same time. */
export const pageOf = (view: View, page: string): View => ({ ...view, page, selection: {}, query: "", isTable: false });

export const viewOf = (hash: string): View => {
  const whole = hash.replace(/^#\/?/, "");
  // A query may contain another question mark.
  const end = whole.indexOf("?");
  const path = end < 0 ? whole : whole.slice(0, end);
  const parameters = new URLSearchParams(end < 0 ? "" : whole.slice(end + 1));
  const [from, to] = [parameters.get("from"), parameters.get("to")];
  const selection: Record<string, string[]> = {};
  for (const [name, value] of parameters) {
    if (name.startsWith("var-")) (selection[name.slice(4)] ??= []).push(value);
  }
  let page = path;
  try {
    page = decodeURIComponent(path);
  } catch {
    // A broken escape is a part of the name.
  }
  return { page, range: from === null || to === null ? undefined : { from, to }, refresh: parameters.get("refresh") ?? undefined, selection, query: parameters.get("q") ?? "", isTable: parameters.get("as") === "table" };
};

export const hashOf = ({ page, range, refresh, selection, query, isTable }: View): string => {
  const parameters = new URLSearchParams();
  if (query !== "") parameters.set("q", query);
  if (isTable) parameters.set("as", "table");
  if (range !== undefined) {
    parameters.set("from", range.from);
    parameters.set("to", range.to);
  }
  if (refresh !== undefined) parameters.set("refresh", refresh);
  for (const [name, values] of Object.entries(selection)) for (const value of values) parameters.append(`var-${name}`, value);
  const all = parameters.toString();
  return `#/${page.split("/").map(encodeURIComponent).join("/")}${all === "" ? "" : `?${all}`}`;
};
