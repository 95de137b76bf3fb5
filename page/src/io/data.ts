/** The data of panels. */

import type { Panel, Target } from "../model/dashboard.ts";
import { type Filter, filtered } from "../model/filters.ts";
import { type Frame, frameOf, instantFrame, type Result, sampled, type Table, tableOf } from "../model/frame.ts";
import { aligned, duration, type Interval, macros, SCRAPE, stepFor } from "../model/time.ts";
import { transformed } from "../model/transform.ts";
import { insert, type Insertion } from "../model/variables.ts";
import { answer, Refused } from "./api.ts";

export type Insertions = Readonly<Record<string, Insertion>>;

export interface PanelData {
  /** Of a table. */
  table: Table | undefined;
  /** Of the other panels. */
  frame: Frame | undefined;
  /** The queries that were asked. */
  queries: string[];
  /** What the server says about the results. */
  warnings: string[];
}

/** A query that the server refused. */
export class Failed extends Error {
  constructor(
    readonly query: string,
    message: string,
  ) {
    super(message);
  }
}

/** The most series of a chart, and the most rows of a table; the server says so if there are more. */
const SERIES = "500";
const ROWS = "1000";

const least = (panel: Panel): number => Math.max(SCRAPE, ...panel.targets.flatMap(({ interval }) => duration((interval ?? "").replace(/^>/, "")) ?? []));

/** Asks the queries of a panel for about this many points. */
export const panelData = async (panel: Panel, interval: Interval, points: number, insertions: Insertions, filters: readonly Filter[], signal: AbortSignal): Promise<PanelData> => {
  const step = stepFor(interval, points, least(panel));
  const { from, to } = aligned(interval, step);
  const values = { ...insertions, ...macros(interval, step) };
  const asked = panel.targets.map((target) => ({ target, query: filtered(insert(target.expr, values), filters) }));
  const warnings: string[] = [];
  const ask = async ({ target, query }: { target: Target; query: string }): Promise<Result> => {
    const [path, parameters] = target.isInstant
      ? (["query", { query, time: String(interval.to), limit: panel.type === "table" ? ROWS : SERIES }] as const)
      : (["query_range", { query, start: String(from), end: String(to), step: String(step), limit: SERIES }] as const);
    const found = await answer(path, parameters, signal).catch((error: unknown) => {
      throw error instanceof Refused ? new Failed(query, error.message) : error;
    });
    warnings.push(...found.warnings);
    return { query: target.refId, legend: target.legend, series: sampled(found.data) };
  };
  const results = await Promise.all(asked.map(ask));
  const common = { queries: asked.map(({ query }) => query), warnings: [...new Set(warnings)] };
  if (panel.type === "table") return { ...common, table: transformed(tableOf(results), panel.transforms), frame: undefined };
  const isInstant = panel.targets.every((target) => target.isInstant);
  return { ...common, table: undefined, frame: isInstant ? instantFrame(results) : frameOf(results, from, to, step) };
};
