/** The data of a panel in JSON, for people and other programs. */

import type { Frame, Table } from "./frame.ts";
import type { Interval } from "./time.ts";

interface Data {
  queries: readonly string[];
  table: Table | undefined;
  frame: Frame | undefined;
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

/** Infinite values and those that are no number, which JSON does not have, as PromQL writes them. */
const written = (value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? (Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf") : value);

export const exported = (title: string, { from, to }: Interval, { queries, table, frame }: Data) => {
  const rows = table?.columns[0]?.cells.map((_, row) => Object.fromEntries(table.columns.map(({ name, cells }) => [name, written(cells[row] ?? null)])));
  const series = frame?.series.map(({ name, labels, values }) => ({ name, labels, values: values.map(written) }));
  const content = rows === undefined ? { times: frame?.times.map(iso) ?? [], series: series ?? [] } : { rows };
  return { title, from: iso(from), to: iso(to), queries, ...content };
};
