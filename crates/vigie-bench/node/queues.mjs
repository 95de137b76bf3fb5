// Many queues, opened by BullMQ as an app opens them; fills them, and counts their jobs as BullMQ does.

import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { say, serve } from '../../../demo/testing/lines.js';

// The libraries are the demo's.
const require = createRequire(new URL('../../../demo/package.json', import.meta.url));
const { Queue } = require('bullmq');
const { Redis } = require('ioredis');

const { values: args } = parseArgs({
  options: {
    redis: { type: 'string' },
    queues: { type: 'string', default: '1000' },
  },
});
const HOUR_MS = 3_600_000;

// One connection for all: on Redis and on the clock this is the cheapest that BullMQ offers.
const connection = new Redis(args.redis, { maxRetriesPerRequest: null });
const queues = Array.from({ length: Number(args.queues) }, (_, i) => new Queue(`queue-${i}`, { connection }));
await Promise.all(queues.map((queue) => queue.waitUntilReady()));

const jobs = (n, opts) => Array.from({ length: n }, () => ({ name: 'job', data: { some: 'data' }, opts }));
const exported = () => Promise.all(queues.map((queue) => queue.exportPrometheusMetrics()));
const refresh = () => Promise.all(queues.map((queue) => queue.getJobCounts()));

say({ msg: 'ready' });
await serve({
  /** Jobs in several states, in every queue. */
  async fill() {
    for (const queue of queues) {
      await queue.addBulk([...jobs(5), ...jobs(2, { delay: HOUR_MS }), ...jobs(1, { priority: 3 })]);
    }
    return { jobs: 8 * queues.length };
  },

  /** Counts all of them again and again for that long. */
  async refresh({ seconds }) {
    const start = performance.now();
    let refreshes = 0;
    let counts;
    while (performance.now() - start < seconds * 1000) {
      counts = await refresh();
      refreshes += 1;
    }
    const ms = performance.now() - start;
    const waiting = counts.reduce((sum, row) => sum + row.waiting, 0);
    return { refreshes, ms, waiting };
  },

  /** Writes BullMQ's own metrics of all of them again and again for that long. */
  async export({ seconds }) {
    const start = performance.now();
    let refreshes = 0;
    let pages;
    while (performance.now() - start < seconds * 1000) {
      pages = await exported();
      refreshes += 1;
    }
    const ms = performance.now() - start;
    const count = /^bullmq_job_count\{[^}]*state="waiting"[^}]*\} (\d+)$/m;
    const waiting = pages.reduce((sum, page) => sum + Number(page.match(count)?.[1]), 0);
    return { refreshes, ms, waiting };
  },
});
connection.disconnect();
