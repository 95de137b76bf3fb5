/** The results of queries: series over time, and tables. */

import { type Json, isObject, object, objects, list } from "./json.ts";

export type Labels = Readonly<Record<string, string>>;

/** The values of one series; `null` where it has none. */
export interface Series {
  labels: Labels;
  name: string;
  /** The `refId` of its query. */
  query: string;
  values: (number | null)[];
}

/** Series at common times, in seconds since the epoch. */
export interface Frame {
  times: number[];
  series: Series[];
}

export type Cell = string | number | null;

export interface Column {
  name: string;
  /** The times are in milliseconds since the epoch. */
  type: "text" | "number" | "time";
  cells: Cell[];
}

export interface Table {
  columns: Column[];
}

/** A series of a response of `/api/v1`. */
export interface Sampled {
  labels: Labels;
  /** Times in seconds, and values. */
  samples: [number, number][];
}

const labelsOf = (metric: unknown): Labels => {
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(object(metric))) labels[name] = String(value);
  return labels;
};

const valueOf = (value: unknown): number => {
  if (value === "+Inf") return Infinity;
  if (value === "-Inf") return -Infinity;
  return Number(value);
};

const sample = (pair: unknown): [number, number][] => {
  const [time, value] = list(pair);
  return typeof time === "number" ? [[time, valueOf(value)]] : [];
};

/** The `data` of a response to a query: a matrix, a vector or a scalar. */
export const sampled = (data: unknown): Sampled[] => {
  const { resultType, result } = object(data);
  if (resultType === "scalar") return [{ labels: {}, samples: sample(result) }];
  return objects(result).map((one: Json) => ({
    labels: labelsOf(one.metric),
    samples: Array.isArray(one.values) ? one.values.flatMap(sample) : sample(one.value),
  }));
};

/** The name of a series: the legend with its labels inserted, or else the series as PromQL writes it. */
export const nameOf = (labels: Labels, legend: string | undefined): string => {
  if (legend !== undefined && legend !== "" && legend !== "__auto") {
    return legend.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, label: string) => labels[label] ?? "");
  }
  const { __name__: metric = "", ...others } = labels;
  const inside = Object.entries(others).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  if (inside.length === 1 && metric === "" && legend === "__auto") return Object.values(others)[0] ?? "";
  return inside.length > 0 || metric === "" ? `${metric}{${inside.join(", ")}}` : metric;
};

/** A query whose result becomes a part of a frame. */
export interface Result {
  query: string;
  legend: string | undefined;
  series: Sampled[];
}

/** All results at the times of the grid `start`, `start + step`, … , `end`, on which they were evaluated. */
export const frameOf = (results: Result[], start: number, end: number, step: number): Frame => {
  const count = Math.max(0, Math.floor((end - start) / step + 1e-9) + 1);
  const times = Array.from({ length: count }, (_, at) => start + at * step);
  const series = results.flatMap(({ query, legend, series }) =>
    series.map(({ labels, samples }) => {
      const values = new Array<number | null>(count).fill(null);
      for (const [time, value] of samples) {
        const at = Math.round((time - start) / step);
        if (at >= 0 && at < count) values[at] = Number.isFinite(value) ? value : null;
      }
      return { labels, query, name: nameOf(labels, legend), values };
    }),
  );
  return { times, series };
};

/** Instant results as series of one value; the last one of each series. */
export const instantFrame = (results: Result[]): Frame => {
  const last = (series: Sampled) => series.samples.at(-1);
  const times = results.flatMap(({ series }) => series.flatMap((one) => last(one)?.[0] ?? []));
  const series = results.flatMap(({ query, legend, series }) =>
    series.map((one) => ({ labels: one.labels, query, name: nameOf(one.labels, legend), values: [last(one)?.[1] ?? null] })),
  );
  return { times: times.slice(0, 1), series };
};

/** Results as a table: the time, a column for each label, and the value. A range of samples has a row for each of them. */
export const tableOf = (results: Result[]): Table => {
  const rows = results.flatMap(({ series, query }) => series.flatMap(({ labels, samples }) => samples.map(([time, value]) => ({ labels, time, value, query }))));
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))].sort();
  const columns: Column[] = [
    { name: "Time", type: "time", cells: rows.map(({ time }) => time * 1000) },
    ...names.map((name): Column => ({ name, type: "text", cells: rows.map((row) => row.labels[name] ?? null) })),
  ];
  const queries = [...new Set(results.map(({ query }) => query))];
  for (const query of queries) {
    const name = queries.length > 1 ? `Value #${query}` : "Value";
    columns.push({ name, type: "number", cells: rows.map((row) => (row.query === query ? row.value : null)) });
  }
  return { columns };
};

/** A frame as a table, as Grafana shows a range query in a table: a row for each time. */
export const isTable = (data: Frame | Table): data is Table => isObject(data) && "columns" in data;
