// Adds jobs through Sentinels until the standard input closes, and prints the jobs that the worker finished. With --ca, --cert and
// --key, all connections use TLS.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { say } from './lines.js';

const { values: args } = parseArgs({
  options: {
    sentinel: { type: 'string' },
    queue: { type: 'string', default: 'work' },
    ca: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
  },
});
const tls = args.ca && {
  ca: readFileSync(args.ca), cert: readFileSync(args.cert), key: readFileSync(args.key),
};
const connect = (more) => {
  const redis = new Redis({
    sentinels: [{ host: '127.0.0.1', port: Number(args.sentinel) }],
    name: 'mymaster',
    retryStrategy: () => 100,
    sentinelRetryStrategy: () => 100,
    ...(tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
    ...more,
  });
  redis.on('error', () => {});
  return redis;
};
const queue = new Queue(args.queue, { connection: connect({ maxRetriesPerRequest: 0 }) });
const worker = new Worker(args.queue, async () => {}, {
  connection: connect({ maxRetriesPerRequest: null }), concurrency: 5, stalledInterval: 1000, lockDuration: 2000,
});
let finished = 0;
// Since the last failure to add.
let since = 0;
let failures = 0;
worker.on('completed', () => { finished += 1; since += 1; });
for (const one of [queue, worker]) one.on('error', () => {});

let stopping = false;
process.stdin.resume();
process.stdin.on('end', () => { stopping = true; });
const opts = { removeOnComplete: true, removeOnFail: true };
while (!stopping) {
  try {
    await queue.addBulk(Array.from({ length: 5 }, () => ({ name: 'job', data: {}, opts })));
  } catch {
    since = 0;
    failures += 1;
  }
  say({ finished, since, failures });
  await new Promise((resolve) => setTimeout(resolve, 50));
}
say({ finished, since, failures });
process.exit(0);
