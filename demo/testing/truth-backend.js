// Runs the backend in this process and reports its internal state: the reference that external measurements are
// compared with.

import { QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import { settingsFrom, start } from '../backend/app.js';
import { createLog } from '../backend/log.js';
import { block } from '../backend/routes.js';
import { say, serve } from './lines.js';

const { env } = process;
const HELD_UP_MS = 20;
const socket = Object.fromEntries([
  ['pingInterval', env.SOCKET_PING_INTERVAL],
  ['pingTimeout', env.SOCKET_PING_TIMEOUT],
  ['upgradeTimeout', env.SOCKET_UPGRADE_TIMEOUT],
  ['connectTimeout', env.SOCKET_CONNECT_TIMEOUT],
].filter(([, value]) => value !== undefined).map(([name, value]) => [name, Number(value)]));

// Ticks are counted from the backend's log lines.
const ticks = { count: 0, sumMs: 0, maxMs: 0 };
const log = createLog((line) => {
  process.stdout.write(line + '\n');
  const { msg, durationMs } = JSON.parse(line);
  if (msg !== 'tick') return;
  ticks.count += 1;
  ticks.sumMs += durationMs;
  ticks.maxMs = Math.max(ticks.maxMs, durationMs);
});

const settings = settingsFrom(env);

// The same ticks by the events in which Redis records their beginning and their end, read with BullMQ's own client.
const recorded = { count: 0, sumMs: 0 };
if (env.TICK_EVENTS) {
  const connection = new Redis(settings.redisUrl, { maxRetriesPerRequest: null });
  const events = new QueueEvents('production', { connection, prefix: settings.prefix, lastEventId: '0-0' });
  const began = new Map();
  const at = (id) => Number(id.split('-')[0]);
  events.on('active', ({ jobId }, id) => began.set(jobId, at(id)));
  events.on('completed', ({ jobId }, id) => {
    recorded.count += 1;
    recorded.sumMs += at(id) - began.get(jobId);
    began.delete(jobId);
  });
}

const { io, port, close } = await start({ ...settings, socket, log });
const clientsCount = () => io.engine.clientsCount;
let watching;

// Sessions that opened or closed since the last reading.
const changes = { opened: 0, closed: 0 };
io.engine.on('connection', (session) => {
  changes.opened += 1;
  session.once('close', () => { changes.closed += 1; });
});

async function leave() {
  clearInterval(watching);
  await close();
}
process.once('SIGTERM', () => leave().then(() => process.exit(0)));

log.info('listening', { port });
await serve({
  clients: () => ({ clientsCount: clientsCount(), sockets: io.sockets.sockets.size, at: Date.now() }),

  watch({ everyMs = 5 }) {
    clearInterval(watching);
    changes.opened = changes.closed = 0;
    let looked = performance.now();
    say({ event: 'clients', count: clientsCount(), ...changes, atMs: Date.now() });
    watching = setInterval(() => {
      const now = performance.now();
      const heldUpMs = now - looked - everyMs;
      looked = now;
      // The times of changes in the meantime are unknown.
      if (heldUpMs > HELD_UP_MS) say({ event: 'held-up', ms: Math.ceil(heldUpMs), atMs: Date.now() });
      if (!changes.opened && !changes.closed) return;
      say({ event: 'clients', count: clientsCount(), ...changes, atMs: Date.now() });
      changes.opened = changes.closed = 0;
    }, everyMs);
    return { everyMs };
  },
  unwatch() {
    clearInterval(watching);
    return {};
  },

  block({ ms }) {
    block(ms);
    return { blockedMs: ms };
  },

  ticks: () => ({ ...ticks, meanMs: ticks.count ? ticks.sumMs / ticks.count : null, recorded }),

  /** `close: true` ends the whole connection, else only its membership of `/`. */
  disconnectSockets({ n = 1, close: whole = false }) {
    const sockets = [...io.sockets.sockets.values()].sort(() => Math.random() - 0.5).slice(0, n);
    for (const one of sockets) one.disconnect(whole);
    return { disconnected: sockets.length };
  },

  async close() {
    await leave();
    setImmediate(() => process.exit(0));
    return { closed: true };
  },
});
// The test that started this process has ended.
await leave();
process.exit(0);
