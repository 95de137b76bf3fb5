// Socket.IO sessions of every kind, overlapping in time; all have ended at the end.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { io } from 'socket.io-client';
import { openPolling, openWebsocket, probe } from '../traffic/raw-engine.js';
import { seeded } from '../traffic/random.js';
import { say } from './lines.js';

const { values: args } = parseArgs({
  options: {
    target: { type: 'string', default: 'http://127.0.0.1:8080' },
    sessions: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
  },
});
const { target } = args;
const sessions = Number(args.sessions);
const spanMs = Number(args.seconds) * 1000;
const random = seeded(Number(args.seed));

const opened = {};
const errors = {};
let live = 0;
let peak = 0;
let failed = 0;
const silent = []; // open until the server closes them, destroyed at the end

/** Stays open for a while, or until the server ends it. */
const whichever = (ended, ms) => Promise.race([ended, sleep(ms)]);

const client = (transports) => async (count, ms) => {
  const socket = io(target, { transports, reconnection: false, forceNew: true, timeout: 60_000 });
  const connected = new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
    // A server may disconnect before the client receives the confirmation of its connection.
    socket.io.once('close', (reason) => reject(new Error(`closed: ${reason}`)));
  });
  await connected;
  count();
  socket.emit('join', 'red-foxes');
  const ended = new Promise((resolve) => {
    if (!socket.connected) resolve();
    else socket.once('disconnect', resolve);
  });
  await whichever(ended, ms / 2);
  socket.emit('chat', { guild: 'red-foxes', text: 'still here' });
  await whichever(ended, ms / 2);
  socket.disconnect();
};

const raw = (open, finish) => async (count, ms) => {
  const session = await open();
  count();
  await whichever(session.ended, ms);
  await finish(session);
};

const destroyed = (session) => session.destroy();
const goneSilent = async (session) => {
  session.silence();
  silent.push(session);
  await sleep(session.pingInterval + session.pingTimeout + 500);
};

// The probe is answered and the websocket closes before `5`: the session continues with polling.
const abortedUpgrade = async (count, ms) => {
  const session = await openPolling(target);
  count();
  await whichever(session.ended, ms / 2);
  const ws = await probe(target, session.sid).catch(() => null); // the session may have ended meanwhile
  await sleep(random.int(0, 150));
  ws?.terminate();
  session.resume();
  await whichever(session.ended, ms / 2);
  await session.close();
};

const KINDS = {
  'polling-close': client(['polling']),
  'websocket-close': client(['websocket']),
  'upgraded-close': client(['polling', 'websocket']),
  'polling-abrupt': raw(() => openPolling(target), destroyed),
  'websocket-abrupt': raw(() => openWebsocket(target), destroyed),
  'upgraded-abrupt': raw(() => openWebsocket(target, { upgraded: true }), destroyed),
  'polling-silent': raw(() => openPolling(target), goneSilent),
  'websocket-silent': raw(() => openWebsocket(target), goneSilent),
  'upgraded-silent': raw(() => openWebsocket(target, { upgraded: true }), goneSilent),
  'aborted-upgrade': abortedUpgrade,
};

async function run(kind, startMs, liveMs) {
  await sleep(startMs);
  let counted = false;
  const count = () => {
    counted = true;
    opened[kind] = (opened[kind] ?? 0) + 1;
    live += 1;
    peak = Math.max(peak, live);
  };
  try {
    await KINDS[kind](count, liveMs);
  } catch (error) {
    failed += 1;
    const what = `${kind}: ${error.message}`;
    errors[what] = (errors[what] ?? 0) + 1;
  }
  if (counted) live -= 1;
}

const names = Object.keys(KINDS);
const kinds = random.shuffled(Array.from({ length: sessions }, (_, i) => names[i % names.length]));
await Promise.all(kinds.map((kind) => {
  const startMs = random.next() * spanMs * 0.55;
  return run(kind, startMs, (0.02 + random.next() * 0.33) * spanMs);
}));
for (const session of silent) session.destroy();

say({ opened, errors: failed, peak, ...(args.verbose && { what: errors }) });
process.exit(0);
