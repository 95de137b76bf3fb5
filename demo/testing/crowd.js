// Opens abandoned Socket.IO sessions: each is only a handshake, so none keeps a connection.

import http from 'node:http';
import { parseArgs } from 'node:util';
import { openAbandoned } from '../traffic/raw-engine.js';
import { serve } from './lines.js';

const { values: args } = parseArgs({
  options: { target: { type: 'string', default: 'http://127.0.0.1:8080' } },
});
const AT_ONCE = 20;

const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
const sessions = [];

/** Runs a function `n` times, with limited concurrency. */
async function times(n, once) {
  let left = n;
  const work = async () => { while (left-- > 0) await once(); };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

await serve({
  async open({ n }) {
    await times(n, async () => { sessions.push(await openAbandoned(args.target, agent)); });
    return { open: sessions.length };
  },
  async close({ n }) {
    await times(Math.min(n, sessions.length), () => sessions.pop().close());
    return { open: sessions.length };
  },
});
process.exit(0);
