// Prints BullMQ's job counts by state.

import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { say } from './lines.js';

const { values: args } = parseArgs({
  options: {
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
    prefix: { type: 'string', default: 'bull' },
    queues: { type: 'string', default: 'production,mail,battles,season' },
  },
});
const connection = new Redis(args.redis, { maxRetriesPerRequest: null });
const queues = {};
for (const name of args.queues.split(',')) {
  // Without this, `new Queue()` writes the queue's settings.
  const queue = new Queue(name, { connection, prefix: args.prefix, skipMetasUpdate: true });
  queues[name] = { ...await queue.getJobCounts(), isPaused: await queue.isPaused() };
  await queue.close();
}
connection.disconnect();
say({ queues });
