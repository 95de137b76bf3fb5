// Runs jobs in queues of a Redis Cluster until it is stopped, and prints the jobs that its workers finished.

import { parseArgs } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { Cluster } from 'ioredis';
import { say, serve } from './lines.js';

const { values: args } = parseArgs({
  options: {
    ports: { type: 'string' },
    queues: { type: 'string', default: '{a},{b},{c}' },
    workers: { type: 'string', default: '1' }, // of each queue
  },
});
const BATCH = 5;
const EVERY_MS = 50;

const connect = (more) => {
  const nodes = args.ports.split(',').map((port) => ({ host: '127.0.0.1', port: Number(port) }));
  const cluster = new Cluster(nodes, {
    clusterRetryStrategy: () => 100, slotsRefreshInterval: 500, retryDelayOnTryAgain: 50, retryDelayOnClusterDown: 100,
    retryDelayOnFailover: 100, redisOptions: { maxRetriesPerRequest: null, connectTimeout: 1000 }, ...more,
  });
  cluster.on('error', () => {});
  return cluster;
};

const opts = { removeOnComplete: true, removeOnFail: true, attempts: 1 };
const errors = [];
const wrong = (error) => { if (errors.length < 20) errors.push(error.message); };
let adding = true;

const driven = args.queues.split(',').map((name) => {
  const queue = new Queue(name, { connection: connect({ maxRedirections: 2 }) });
  const one = { name, queue, completed: new Set(), failed: new Set(), added: 0, refused: 0 };
  // Every tenth job fails, by the last digit of its id.
  const work = async (job) => { if (job.id.endsWith('0')) throw new Error('as told'); };
  one.workers = Array.from({ length: Number(args.workers) }, () => {
    const worker = new Worker(name, work, {
      connection: connect(), concurrency: 5, stalledInterval: 1000, lockDuration: 2000, maxStalledCount: 100,
    });
    worker.on('completed', (job) => one.completed.add(job.id));
    worker.on('failed', (job) => { if (job) one.failed.add(job.id); });
    worker.on('error', wrong);
    return worker;
  });
  queue.on('error', wrong);
  return one;
});

const add = async (one) => {
  while (true) {
    if (adding) {
      try {
        await one.queue.addBulk(Array.from({ length: BATCH }, () => ({ name: 'job', data: {}, opts })));
        one.added += BATCH;
      } catch (error) {
        one.refused += 1;
        wrong(error);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
};

const progress = () => ({
  queues: Object.fromEntries(driven.map(({ name, completed, failed, added, refused }) => (
    [name, { completed: completed.size, failed: failed.size, added, refused }]
  ))),
  errors,
});

for (const one of driven) {
  await one.queue.waitUntilReady();
  for (const worker of one.workers) await worker.waitUntilReady();
  add(one);
}
say({ msg: 'ready' });
await serve({
  async progress() { return progress(); },

  /** The number of workers as reported by BullMQ. */
  async workers() {
    const seen = await Promise.all(driven.map(async ({ name, queue }) => [name, (await queue.getWorkers()).length]));
    return { queues: Object.fromEntries(seen) };
  },

  /** Stops adding jobs, and waits until all are finished. */
  async stop() {
    adding = false;
    for (const { queue } of driven) {
      while (true) {
        const counts = await queue.getJobCounts().catch(() => ({ waiting: 1 }));
        if (counts.waiting + counts.active === 0) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    return progress();
  },

  async go() { adding = true; return {}; },
});
process.exit(0);
