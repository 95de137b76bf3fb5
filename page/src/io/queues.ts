/** The queues of the server, with what the history knows about them. */

import { frameOf, type Sampled, sampled } from "../model/frame.ts";
import { detailsOf, type QueueDetails, quoted } from "../model/queue.ts";
import { type Queue, queuesOf } from "../model/queues.ts";
import { aligned } from "../model/time.ts";
import { json, now, query } from "./api.ts";

const HOUR = 3600;
const STEP = 60;

/** The failures in a minute, and the 95th percentile of the duration of runs; `matcher` selects the queues. */
const latest = async (matcher: string, signal: AbortSignal): Promise<{ failures: Sampled[]; p95: Sampled[] }> => {
  const instant = async (expression: string) => sampled(await query("query", { query: expression, time: String(now()) }, signal));
  const [failures, p95] = await Promise.all([
    instant(`sum by (queue) (rate(queue_jobs_total{${matcher}, state="failed"}[5m])) * 60`),
    instant(`histogram_quantile(0.95, sum by (queue, le) (rate(bullmq_job_run_seconds_bucket{${matcher}}[5m])))`),
  ]);
  return { failures, p95 };
};

export const queues = async (signal: AbortSignal): Promise<Queue[]> => {
  const { from, to } = aligned({ from: now() - HOUR, to: now() }, STEP);
  const range = { query: 'sum by (queue) (queue_jobs_total{state="waiting"})', start: String(from), end: String(to), step: String(STEP) };
  const [answer, known, waiting] = await Promise.all([json("queues", signal), latest('queue!=""', signal), query("query_range", range, signal)]);
  const trend = frameOf([{ query: "A", legend: "{{queue}}", series: sampled(waiting) }], from, to, STEP).series;
  return queuesOf(answer, { ...known, trend });
};

export const queue = async (name: string, signal: AbortSignal): Promise<QueueDetails> => {
  const [answer, known] = await Promise.all([json(`queues/${encodeURIComponent(name)}`, signal), latest(`queue="${quoted(name)}"`, signal)]);
  return detailsOf(answer, { ...known, trend: [] });
};
