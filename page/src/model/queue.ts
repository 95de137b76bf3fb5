/** One queue, as `/queues/NAME` reports it: its state, and why its jobs failed. */

import { flag, number, object, objects, text } from "./json.ts";
import { safeLink } from "./links.ts";
import { type History, type Queue, queueOf } from "./queues.ts";

/** Why jobs of a name failed. */
export interface Failure {
  name: string;
  reason: string;
  /** The first line of the stack trace; empty if it is not known. */
  stack: string;
  count: number;
  /** In seconds since the epoch. */
  first: number | undefined;
  last: number | undefined;
}

export interface QueueDetails {
  queue: Queue;
  /** Why it cannot be read now. */
  error: string | undefined;
  /** Another program that shows it. */
  link: { address: string; host: string } | undefined;
  isRedacted: boolean;
  /** The latest first; absent if its events are not read. */
  failures: Failure[] | undefined;
  /** Failures for reasons that are not kept any more. */
  forgotten: number;
}

const seconds = (json: unknown): number | undefined => {
  const time = Date.parse(text(json) ?? "");
  return Number.isNaN(time) ? undefined : time / 1000;
};

const failuresOf = (json: unknown): Failure[] => {
  const all = objects(json);
  const place = ({ database, prefix }: (typeof all)[number]) => `${number(database) ?? ""}/${text(prefix) ?? ""}`;
  const hasPlaces = new Set(all.map(place)).size > 1;
  return all.map((one) => ({
    name: hasPlaces ? `${place(one).replace(/^\//, "")}:${text(one.name) ?? ""}` : (text(one.name) ?? ""),
    reason: text(one.reason) ?? "",
    stack: text(one.stack) ?? "",
    count: number(one.count) ?? 0,
    first: seconds(one.first),
    last: seconds(one.last),
  }));
};

const linkOf = (json: unknown): QueueDetails["link"] => {
  const address = safeLink(text(json));
  return address !== undefined && URL.canParse(address) ? { address, host: new URL(address).host } : undefined;
};

export const detailsOf = (json: unknown, history: History): QueueDetails => {
  const answer = object(json);
  return {
    queue: queueOf(text(answer.queue) ?? "", answer, history),
    error: text(answer.error),
    link: linkOf(answer.link),
    isRedacted: flag(answer.redacted) ?? false,
    failures: Array.isArray(answer.failures) ? failuresOf(answer.failures) : undefined,
    forgotten: number(answer.forgotten) ?? 0,
  };
};

/** The pages of queues in the address begin with this. */
const PAGES = "queue/";

/** The queue that a page shows, if it shows one. */
export const queueIn = (page: string): string | undefined => (page.startsWith(PAGES) ? page.slice(PAGES.length) : undefined);

export const queuePage = (queue: string): string => PAGES + queue;

/** A text within the quotes of PromQL. */
export const quoted = (text: string): string => JSON.stringify(text).slice(1, -1);

/** The titles of the charts. */
export interface Titles {
  jobs: string;
  runs: string;
  completed: string;
  failed: string;
}

const finished = (outcome: string) => `sum by (name) (rate(bullmq_jobs_finished_total{queue="$queue", outcome="${outcome}"}[$__rate_interval])) * 60`;
const RUNS = 'histogram_quantile(0.95, sum by (name, le) (rate(bullmq_job_run_seconds_bucket{queue="$queue"}[$__rate_interval])))';
const JOBS = 'sum by (state) (bullmq_jobs{queue="$queue"})';
const LEGEND = { displayMode: "list", placement: "bottom", calcs: ["lastNotNull"], showLegend: true };

/** The charts of a queue, as a dashboard with the variable `queue`. */
export const dashboardOfQueue = (titles: Titles): object => {
  const chart = (at: number, title: string, expr: string, legendFormat: string, unit: string, custom: object) => ({
    id: at + 1,
    type: "timeseries",
    title,
    gridPos: { x: 12 * (at % 2), y: 8 * Math.floor(at / 2), w: 12, h: 8 },
    targets: [{ refId: "A", expr, legendFormat }],
    options: { legend: LEGEND, tooltip: { mode: "multi", sort: "desc" } },
    fieldConfig: { defaults: { color: { mode: "palette-classic" }, custom, min: 0, unit }, overrides: [] },
  });
  const stacked = { fillOpacity: 30, stacking: { group: "A", mode: "normal" } };
  return {
    panels: [
      chart(0, titles.jobs, JOBS, "{{state}}", "short", stacked),
      chart(1, titles.runs, RUNS, "{{name}}", "s", {}),
      chart(2, titles.completed, finished("completed"), "{{name}}", "cpm", stacked),
      chart(3, titles.failed, finished("failed"), "{{name}}", "cpm", stacked),
    ],
  };
};
