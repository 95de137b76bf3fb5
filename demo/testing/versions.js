// One queue of any version of BullMQ, or of Bull: driven by commands, and counted job by job.

import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { say, serve } from './lines.js';

const { values: args } = parseArgs({
  options: {
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
    package: { type: 'string', default: 'bullmq' }, // or bullmq-v3, bullmq-v4, bullmq-v6, bull
    prefix: { type: 'string', default: 'bull' },
    queue: { type: 'string', default: 'driven' },
    'no-queue': { type: 'boolean', default: false }, // flows only
    'skip-meta': { type: 'boolean', default: false },
    'limiter-max': { type: 'string' }, // jobs an hour, as an option of the worker, or of Bull's queue
  },
});
const HOUR_MS = 3_600_000;
const library = await import(args.package);
const isBull = args.package === 'bull';
const redis = new Redis(args.redis);
const { hostname: host, port } = new URL(args.redis);
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const at = { connection, prefix: args.prefix };
const limiter = args['limiter-max'] && { limiter: { max: Number(args['limiter-max']), duration: HOUR_MS } };

function open() {
  if (isBull) return new library.default(args.queue, { redis: connection, prefix: args.prefix, ...limiter });
  return new library.Queue(args.queue, { ...at, skipMetasUpdate: args['skip-meta'] });
}
const queue = args['no-queue'] ? null : open();
await (isBull ? queue.isReady() : queue?.waitUntilReady());

const token = randomUUID();
let worker;
const taken = [];
function work() {
  if (!worker) {
    worker = new library.Worker(args.queue, null, { ...at, lockDuration: HOUR_MS, ...limiter });
    worker.on('error', () => {});
  }
  return worker;
}
async function next() {
  if (isBull) return queue.getNextJob();
  return work().getNextJob(token, { block: false });
}

/** The state of every job, from the key that contains its id; counts reported by Redis or the library are not used. */
async function count(name) {
  const base = `${args.prefix}:${name}:`;
  const listed = async (part) => new Set(await redis.lrange(base + part, 0, -1));
  const sorted = async (part) => new Set(await redis.zrange(base + part, 0, -1));
  const paused = await redis.hexists(`${base}meta`, 'paused') === 1;
  const places = [
    ['active', await listed('active')],
    [paused ? 'paused' : 'waiting', await listed('wait')],
    ['paused', await listed('paused')],
    ['delayed', await sorted('delayed')],
    ['waiting-children', await sorted('waiting-children')],
    ['completed', await sorted('completed')],
    ['failed', await sorted('failed')],
    // An index in version 3 and Bull, whose jobs were found in `wait`; the place itself later.
    ['prioritized', await sorted('prioritized')],
  ];
  const counts = Object.fromEntries(places.map(([state]) => [state, 0]));
  Object.assign(counts, { waiting: 0, nowhere: 0 });
  for (const key of await redis.keys(`${base.replaceAll(/[{}[\]*?]/g, '\\$&')}*`)) {
    if (await redis.type(key) !== 'hash' || !await redis.hexists(key, 'timestamp')) continue;
    const id = key.slice(base.length);
    const place = places.find(([, ids]) => ids.has(id));
    counts[place ? place[0] : 'nowhere'] += 1;
  }
  return { counts, paused };
}

say({ msg: 'ready' });
await serve({
  async add({ n = 1, name = 'job', opts = {} }) {
    for (; n > 0; n--) await queue.add(name, {}, opts);
    return {};
  },

  /** A parent and its child, in two queues that were not opened. */
  async flow({ parent, child, agoMs = 0 }) {
    const flows = new library.FlowProducer(at);
    const opts = { timestamp: Date.now() - agoMs };
    await flows.add({ name: 'parent', queueName: parent, opts, children: [{ name: 'child', queueName: child }] });
    await flows.close();
    return {};
  },

  /** Adds a child to the oldest active job, which then waits for it. */
  async wait({ child }) {
    const job = taken.shift();
    const parent = { id: job.id, queue: `${args.prefix}:${args.queue}` };
    const children = new library.Queue(child, at);
    await children.add('child', {}, { parent });
    await children.close();
    return { waits: await job.moveToWaitingChildren(token) };
  },

  /** Starts a worker, as an app does. */
  async listen({ opts = {} }) {
    if (isBull) {
      queue.process(async () => {});
      return {};
    }
    const worker = new library.Worker(args.queue, async () => {}, { ...at, ...opts });
    worker.on('error', () => {});
    await worker.waitUntilReady();
    return {};
  },

  /** Takes jobs and keeps them active; returns their number. */
  async take({ n = 1 }) {
    let found = 0;
    for (; n > 0; n--) {
      const job = await next();
      if (!job) continue;
      taken.push(job);
      found += 1;
    }
    return { found };
  },

  /** Adds a repeated job, with the API of each version. */
  async schedule({ id, every }) {
    if (queue.upsertJobScheduler) await queue.upsertJobScheduler(id, { every });
    else await queue.add(id, {}, { repeat: { every } });
    return {};
  },

  /** Sets a global rate limit; an error where the version does not support it. */
  async globalRateLimit({ max, duration }) { await queue.setGlobalRateLimit(max, duration); return {}; },

  /** Blocks new jobs for this time. */
  async rateLimit({ ms }) { await (queue.rateLimit ? queue : work()).rateLimit(ms); return {}; },

  /** Sets or removes the global concurrency. */
  async globalConcurrency({ most }) {
    if (most === null) await queue.removeGlobalConcurrency();
    else await queue.setGlobalConcurrency(most);
    return {};
  },

  /** Ends the oldest active job. */
  async finish({ as = 'completed' }) {
    const job = taken.shift();
    const key = isBull ? true : token;
    if (as === 'completed') await job.moveToCompleted('done', key, isBull);
    else if (isBull) await job.moveToFailed({ message: 'as told' }, true);
    else await job.moveToFailed(new Error('as told'), token, false);
    return {};
  },

  async pause() { await queue.pause(); return {}; },
  async resume() { await queue.resume(); return {}; },
  async obliterate() { await queue.obliterate({ force: true }); return {}; },
  async clean({ state }) { return { cleaned: (await queue.clean(0, 1000, state)).length }; },

  /** Removes the next waiting job. */
  async remove() {
    const [job] = await queue.getJobs(['waiting'], 0, 0, true);
    await job.remove();
    return {};
  },

  /** Publishes a custom event, which trims the stream to the length set by its producer. */
  async publish() {
    const producer = new library.QueueEventsProducer(args.queue, at);
    await producer.publishEvent({ eventName: 'custom', text: 'hello' });
    await producer.close();
    return {};
  },

  /** The actual state, and the state as reported by the package. */
  async truth({ queue: name = args.queue }) {
    return { ...await count(name), said: name === args.queue ? await queue?.getJobCounts() : undefined };
  },
});
process.exit(0);
