// Prints the output of BullMQ's own exporter for a queue.

import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { say } from './lines.js';

const { values: args } = parseArgs({
  options: {
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
    prefix: { type: 'string', default: 'bull' },
    queue: { type: 'string', default: 'work' },
  },
});
const connection = new Redis(args.redis, { maxRetriesPerRequest: null });
const queue = new Queue(args.queue, { connection, prefix: args.prefix, skipMetasUpdate: true });
say({ page: await queue.exportPrometheusMetrics() });
await queue.close();
connection.disconnect();
