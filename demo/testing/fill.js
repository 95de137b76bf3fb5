// Puts a queue without workers into a known state.

import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { FlowProducer, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { say } from './lines.js';

const number = { type: 'string', default: '0' };
const { values: args } = parseArgs({
  options: {
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
    prefix: { type: 'string', default: 'bull' },
    queue: { type: 'string', default: 'filled' },
    name: { type: 'string', default: 'filler' },
    waiting: number,
    prioritized: number,
    delayed: number,
    active: number,
    completed: number,
    failed: number,
    reason: { type: 'string', default: 'as told' }, // why they failed
    'waiting-children': number, // the children wait in the queue `<queue>-children`
    concurrency: number, // of the whole queue
    'rate-limit-ms': number, // time during which no job starts
    paused: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    clean: { type: 'boolean', default: false }, // first removes existing jobs
  },
});
const HOUR_MS = 3_600_000;
const count = (what) => Number(args[what]);

const connection = new Redis(args.redis, { maxRetriesPerRequest: null });
const at = { connection, prefix: args.prefix };
const queue = new Queue(args.queue, at);

const add = (n, opts) => queue.addBulk(Array.from({ length: n }, () => ({ name: args.name, data: {}, opts })));

if (args.clean) {
  for (const parent of await queue.getWaitingChildren()) await parent.remove({ removeChildren: true }); // obliterate leaves them
  await queue.obliterate({ force: true });
}
if (args.resume) await queue.resume();

// Taken first, while no other job waits: a worker without a processor takes a job only on request.
const taken = count('active') + count('completed') + count('failed');
if (taken) {
  await add(taken);
  const worker = new Worker(args.queue, null, { ...at, lockDuration: HOUR_MS });
  const token = randomUUID();
  const next = () => worker.getNextJob(token, { block: false });
  for (let n = count('completed'); n > 0; n--) await (await next()).moveToCompleted('done', token, false);
  for (let n = count('failed'); n > 0; n--) await (await next()).moveToFailed(new Error(args.reason), token, false);
  for (let n = count('active'); n > 0; n--) await next();
  await worker.close(true);
}
await add(count('waiting'));
await add(count('prioritized'), { priority: 7 });
await add(count('delayed'), { delay: HOUR_MS });
const flows = new FlowProducer(at);
for (let n = count('waiting-children'); n > 0; n--) {
  await flows.add({
    name: args.name, queueName: args.queue,
    children: [{ name: args.name, queueName: `${args.queue}-children` }],
  });
}
if (count('concurrency')) await queue.setGlobalConcurrency(count('concurrency'));
if (count('rate-limit-ms')) await queue.rateLimit(count('rate-limit-ms'));
if (args.paused) await queue.pause();

const counts = await queue.getJobCounts();
await flows.close();
await queue.close();
connection.disconnect();
say({ queue: args.queue, counts });
