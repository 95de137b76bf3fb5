/** The queues, as `/queues` reports them, with what the history knows about each. */

import type { Sampled } from "./frame.ts";
import { flag, number, object } from "./json.ts";

/** The columns with numbers; `null` is unknown. */
export const FIGURES = ["waiting", "active", "delayed", "failures", "oldest", "workers", "p95"] as const;
export type Figure = (typeof FIGURES)[number];

export interface Queue {
  name: string;
  isPaused: boolean | null;
  figures: Record<Figure, number | null>;
  /** The waiting jobs over the last hour. */
  trend: (number | null)[];
}

/** Results by the label `queue`. */
export interface History {
  /** Failed jobs in a minute. */
  failures: Sampled[];
  /** Of the duration of runs, in seconds. */
  p95: Sampled[];
  trend: { name: string; values: (number | null)[] }[];
}

const lastOf = (series: Sampled[], queue: string): number | null => {
  const value = series.find(({ labels }) => labels.queue === queue)?.samples.at(-1)?.[1];
  return value === undefined || Number.isNaN(value) ? null : value;
};

/** A queue, as its part of the answer describes it. */
export const queueOf = (name: string, answer: unknown, { failures, p95, trend }: History): Queue => {
  const queue = object(answer);
  const figure = (key: string) => number(queue[key]) ?? null;
  return {
    name,
    isPaused: flag(queue.paused) ?? null,
    figures: {
      waiting: figure("waiting"),
      active: figure("active"),
      delayed: figure("delayed"),
      failures: lastOf(failures, name),
      oldest: figure("oldest_waiting_seconds"),
      workers: figure("workers"),
      p95: lastOf(p95, name),
    },
    trend: trend.find((one) => one.name === name)?.values ?? [],
  };
};

export const queuesOf = (json: unknown, history: History): Queue[] => Object.entries(object(object(json).queues)).map(([name, one]) => queueOf(name, one, history));

export interface Order {
  by: Figure | "name";
  isDescending: boolean;
}

/** Unknown values come last in both directions. */
export const sorted = (queues: readonly Queue[], { by, isDescending }: Order): Queue[] => {
  const sign = isDescending ? -1 : 1;
  return queues.toSorted((a, b) => {
    const byName = a.name.localeCompare(b.name, "en", { numeric: true });
    if (by === "name") return sign * byName;
    const [first, second] = [a.figures[by], b.figures[by]];
    if (first === null || second === null) return Number(first === null) - Number(second === null) || byName;
    return sign * (first - second) || byName;
  });
};

/** The order after a click on a column: numbers begin with the largest. */
export const clicked = (order: Order, by: Order["by"]): Order => (order.by === by ? { by, isDescending: !order.isDescending } : { by, isDescending: by !== "name" });
