// One queue, driven by commands: jobs, schedulers, a worker that holds, fails or finishes jobs.

import { parseArgs } from 'node:util';
import { FlowProducer, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { say, serve } from './lines.js';

const { values: args } = parseArgs({
  options: {
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
    prefix: { type: 'string', default: 'bull' },
    queue: { type: 'string', default: 'driven' },
  },
});
const connection = new Redis(args.redis, { maxRetriesPerRequest: null });
const at = { connection, prefix: args.prefix };
const queue = new Queue(args.queue, at);
await queue.waitUntilReady();
const workers = new Map();

/** Processors by name; `hold` never ends. */
const PROCESSORS = {
  finish: async () => 'done',
  fail: async ({ data }) => { throw new Error(data.reason ?? 'as told'); },
  hold: () => new Promise(() => {}),
};

say({ msg: 'ready' });
await serve({
  /** Adds `n` jobs whose timestamp is `agoMs` in the past. */
  async add({ n = 1, name = 'job', agoMs, data = {}, opts = {} }) {
    const timestamp = agoMs === undefined ? {} : { timestamp: Date.now() - agoMs };
    const jobs = Array.from({ length: n }, () => ({ name, data, opts: { ...opts, ...timestamp } }));
    const added = await queue.addBulk(jobs);
    return { ids: added.map((job) => job.id) };
  },

  /** A parent and its child, both in this queue. */
  async flow({ parent, child, agoMs }) {
    const flows = new FlowProducer(at);
    const queueName = args.queue;
    const opts = { timestamp: Date.now() - agoMs };
    await flows.add({ name: parent, queueName, opts, children: [{ name: child, queueName }] });
    await flows.close();
    return {};
  },

  async schedule({ id, repeat, name = 'scheduled' }) {
    await queue.upsertJobScheduler(id, repeat, { name });
    const scheduler = await queue.getJobScheduler(id);
    return { next: scheduler.next };
  },

  /** Starts a worker; replies when it waits for jobs. */
  async work({ as = 'finish', name, opts = {} }) {
    const worker = new Worker(args.queue, PROCESSORS[as], { ...at, ...(name && { name }), ...opts });
    worker.on('error', () => {});
    await worker.waitUntilReady();
    workers.set(name ?? 'worker', worker);
    return {};
  },

  async rest({ name = 'worker' }) {
    await workers.get(name).close();
    workers.delete(name);
    return {};
  },

  async pause() { await queue.pause(); return {}; },
  async resume() { await queue.resume(); return {}; },
  async drain() { await queue.drain(); return {}; },
  async retry() { await queue.retryJobs(); return {}; },

  /** The state as reported by BullMQ. */
  async truth() {
    const counts = await queue.getJobCounts();
    const [clients, paused] = [await queue.getWorkers(), await queue.isPaused()];
    return { counts, workers: clients.length, paused };
  },
});
process.exit(0);
