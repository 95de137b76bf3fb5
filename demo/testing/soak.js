// Many jobs over many queues: one process adds them, workers process them and may be killed at any time, and one reports the true outcomes.

import { readFileSync, readdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { say, serve } from './lines.js';

const { values: args, positionals: [role] } = parseArgs({
  allowPositionals: true, // add, work or tell
  options: {
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
    queues: { type: 'string', default: '50' },
    jobs: { type: 'string', default: '200000' }, // of all queues together
    logs: { type: 'string' }, // the directory of the workers' logs
    worker: { type: 'string', default: '0' }, // number of the worker, which has a separate log
  },
});
const BATCH = 200;
const PREFIX = 'bull';
const NAMES = ['mail', 'resize', 'report'];
const names = Array.from({ length: Number(args.queues) }, (_, i) => `soak-${i}`);
const each = Math.floor(Number(args.jobs) / names.length);
const connection = new Redis(args.redis, { maxRetriesPerRequest: null });

/** The planned outcome of a job, derived from its number in the queue, so that all processes agree. */
function plan(i) {
  const kinds = [
    { fails: 1, attempts: 1 },
    { fails: 1, attempts: 3 },
    { fails: 1, attempts: 2, backoff: 50 },
    { fails: 2, attempts: 2 },
  ];
  const { fails, attempts, backoff } = kinds[i % 40] ?? { fails: 0, attempts: 1 };
  const name = NAMES[Math.floor(i / 7) % NAMES.length];
  // Most completed jobs are deleted immediately; failed ones are kept.
  const removeOnComplete = i % 5 !== 0;
  return { name, data: { fails }, opts: { jobId: `j${i}`, attempts, backoff, removeOnComplete } };
}

async function add() {
  const queues = names.map((name) => new Queue(name, { connection, prefix: PREFIX }));
  let added = 0; // in each
  await serve({
    async more() {
      const length = Math.min(BATCH, each - added);
      const jobs = Array.from({ length }, (_, i) => plan(added + i));
      await Promise.all(queues.map((queue) => queue.addBulk(jobs)));
      added += length;
      return { added: added * names.length };
    },
  });
  connection.disconnect();
}

// One line before a job can end and one after: a job with only the first was interrupted by a kill.
function work() {
  const log = openSync(join(args.logs, args.worker), 'a');
  const note = (what, worker, job) => writeSync(log, `${what} ${worker.name} ${job.id} ${job.name}\n`);
  const options = {
    connection,
    prefix: PREFIX,
    concurrency: 4,
    lockDuration: 2_000,
    stalledInterval: 1_000,
    metrics: { maxDataPoints: 5 },
  };
  for (const name of names) {
    const worker = new Worker(name, async (job) => {
      if (job.attemptsMade < job.data.fails) throw new Error('as planned');
    }, options);
    worker.on('active', (job) => note('taken', worker, job));
    worker.on('completed', (job) => note('completed', worker, job));
    // A job that will be retried has not ended.
    worker.on('failed', (job) => { if (job?.finishedOn) note('failed', worker, job); });
    // For example a lost lock: the job then ended in another worker and is not logged here.
    worker.on('error', (error) => process.stderr.write(JSON.stringify({ error: error.message }) + '\n'));
  }
  process.on('SIGTERM', () => {
    writeSync(log, 'bye\n');
    process.exit(0);
  });
  say({ msg: 'working' });
}

// Redis has the outcome of a job: the script that ended it moved it to `completed` or `failed`, or deleted it.
async function tell() {
  const problems = [];
  const ended = {};
  const outcomes = new Map();
  for (const name of names) {
    const base = `${PREFIX}:${name}:`;
    const read = connection.pipeline();
    for (const list of ['wait', 'paused', 'active']) read.llen(base + list);
    for (const set of ['delayed', 'prioritized', 'waiting-children']) read.zcard(base + set);
    for (const set of ['completed', 'failed']) read.zrange(base + set, 0, -1);
    for (const set of ['completed', 'failed']) read.hget(`${base}metrics:${set}`, 'count');
    for (let i = 0; i < each; i++) read.exists(`${base}j${i}`);
    const [w, p, a, d, q, c, completed, failed, ...rest] = (await read.exec()).map(([error, reply]) => {
      if (error) throw error;
      return reply;
    });
    const [metered, exist] = [rest.slice(0, 2).map(Number), rest.slice(2)];
    if (w + p + a + d + q + c) problems.push(`${name}: ${[w, p, a, d, q, c]} in flight`);
    const kept = new Set(completed);
    const broken = new Set(failed);
    const rows = Object.fromEntries(NAMES.map((job) => [job, { completed: 0, failed: 0 }]));
    let sums = [0, 0];
    for (let i = 0; i < each; i++) {
      const { name: job, opts } = plan(i);
      const id = opts.jobId;
      const isThere = exist[i] === 1;
      let outcome;
      if (broken.has(id) && isThere && !kept.has(id)) outcome = 'failed';
      else if (!broken.has(id) && isThere === kept.has(id) && isThere !== opts.removeOnComplete) outcome = 'completed';
      else problems.push(`${name}: ${id} is nowhere, or twice`);
      if (!outcome) continue;
      rows[job][outcome] += 1;
      sums[outcome === 'failed' ? 1 : 0] += 1;
      outcomes.set(`${name} ${id} ${job}`, outcome);
    }
    // The workers' own counters are written by the same scripts.
    if (String(sums) !== String(metered)) problems.push(`${name}: ${sums} ended, and ${metered} were metered`);
    ended[name] = rows;
  }
  connection.disconnect();
  say({ ended, ...compare(outcomes, problems), problems: problems.slice(0, 20) });
}

/** Compares the outcomes with the workers' logs: each end is logged once, or the worker of the job was killed. */
function compare(outcomes, problems) {
  const noted = new Set();
  const doubtful = new Set();
  for (const file of readdirSync(args.logs)) {
    const lines = readFileSync(join(args.logs, file), 'utf8').split('\n');
    const killed = lines.at(-2) !== 'bye';
    for (const line of lines) {
      const [what, ...job] = line.split(' ');
      const key = job.join(' ');
      if (what === 'taken' && killed) doubtful.add(key);
      if (what !== 'completed' && what !== 'failed') continue;
      if (outcomes.get(key) !== what) problems.push(`${key}: ${what} by ${file}, ${outcomes.get(key)} in Redis`);
      if (noted.has(key)) problems.push(`${key}: noted twice`);
      noted.add(key);
    }
  }
  const unnoted = [...outcomes.keys()].filter((key) => !noted.has(key));
  for (const key of unnoted) if (!doubtful.has(key)) problems.push(`${key}: no worker ended it`);
  return { noted: noted.size, unnoted: unnoted.length };
}

await { add, work, tell }[role]();
