// Runs a known number of jobs in one queue; ends when all are finished.

import { parseArgs } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { seeded } from '../traffic/random.js';
import { say } from './lines.js';

const { values: args } = parseArgs({
  options: {
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
    prefix: { type: 'string', default: 'bull' },
    queue: { type: 'string', default: 'work' },
    jobs: { type: 'string', default: '5000' },
    'fail-ratio': { type: 'string', default: '0.1' },
    names: { type: 'string', default: 'a,b,c' },
    concurrency: { type: 'string', default: '50' },
    'work-ms': { type: 'string', default: '0' },
    'return-bytes': { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false }, // whether finished jobs are kept
    'max-events': { type: 'string' }, // approximate length of the stream; BullMQ's default is 10,000
    metrics: { type: 'boolean', default: false }, // as BullMQ's own exporter needs them
  },
});
const BATCH = 250;
const total = Number(args.jobs);
const ratio = Number(args['fail-ratio']);
const workMs = Number(args['work-ms']);
const names = args.names.split(',');
const result = 'x'.repeat(Number(args['return-bytes'])) || undefined;
const random = seeded(Number(args.seed));

// Spread evenly, and exactly `total * ratio` of them.
const fails = (i) => Math.floor((i + 1) * ratio + 1e-9) > Math.floor(i * ratio + 1e-9);

const connection = new Redis(args.redis, { maxRetriesPerRequest: null });
const at = { connection, prefix: args.prefix };
const maxLen = Number(args['max-events']);
const queue = new Queue(args.queue, { ...at, ...(maxLen && { streams: { events: { maxLen } } }) });

const tally = () => Object.fromEntries(names.map((name) => [name, 0]));
const completed = tally();
const failed = tally();
let finished = 0;
let allFinished;
const done = new Promise((resolve) => { allFinished = resolve; });
const count = (row) => (job) => {
  row[job.name] += 1;
  finished += 1;
  if (finished === total) allFinished();
};

const worker = new Worker(args.queue, async (job) => {
  if (workMs) await new Promise((resolve) => setTimeout(resolve, workMs));
  if (job.data.fails) throw new Error('as told');
  return result;
}, { ...at, concurrency: Number(args.concurrency), ...(args.metrics && { metrics: { maxDataPoints: 60 } }) });
worker.on('completed', count(completed));
worker.on('failed', count(failed));
worker.on('error', (error) => process.stderr.write(JSON.stringify({ error: error.message }) + '\n'));

const opts = { removeOnComplete: !args.keep, removeOnFail: !args.keep, attempts: 1 };
for (let first = 0; first < total; first += BATCH) {
  const length = Math.min(BATCH, total - first);
  await queue.addBulk(Array.from({ length }, (_, i) => (
    { name: random.pick(names), data: { fails: fails(first + i) }, opts }
  )));
}
if (total) await done;

await worker.close();
await queue.close();
connection.disconnect();
say({ completed, failed, added: total });
