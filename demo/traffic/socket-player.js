// The realtime side of a player: connects, joins the guild, chats, and disconnects in one of several ways.

import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';
import { openPolling, openWebsocket } from './raw-engine.js';

const GUILDS = ['red-foxes', 'iron-guard', 'night-owls', 'salt-traders', 'free-hands'];
const TRANSPORTS = [
  { weight: 2, transports: ['polling'] },
  { weight: 5, transports: ['polling', 'websocket'] },
  { weight: 3, transports: ['websocket'] },
];
const MAX_GHOSTS = 20;

/** Plays until `mayGoOn()` returns false. `ghosts` holds the connections that were left open without traffic. */
export async function visit({ target, random, ghosts, mayGoOn, signal, verbose }) {
  await sleep(random.int(0, 2_000), undefined, { signal }).catch(() => {});
  while (mayGoOn()) {
    const silent = random.next() < 0.15;
    try {
      await (silent ? vanish : chat)({ target, random, ghosts, signal });
    } catch (error) {
      if (!signal.aborted) verbose?.({ socket: 'failed', error: error.message });
      await sleep(500, undefined, { signal }).catch(() => {});
    }
  }
}

async function chat({ target, random, signal }) {
  const { transports } = random.weighted(TRANSPORTS);
  const socket = io(target, { transports, reconnection: false, forceNew: true, timeout: 5_000 });
  try {
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
      // The connection broke before the namespace was joined.
      socket.once('disconnect', (reason) => reject(new Error(reason)));
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const guild = random.pick(GUILDS);
    socket.emit('join', guild);
    for (let lines = random.int(1, 8); lines > 0 && socket.connected; lines--) {
      await sleep(random.int(100, 1_500), undefined, { signal });
      socket.emit('chat', { guild, text: 'to the walls!' });
    }
    // Some clients do not disconnect properly: their connection breaks.
    if (random.next() < 0.2) socket.io.engine?.transport?.ws?._socket?.destroy();
  } finally {
    socket.disconnect();
  }
}

// The connection stays open, but carries no more data.
async function vanish({ target, random, ghosts, signal }) {
  const session = await random.pick([openPolling, openWebsocket])(target);
  ghosts.push(session);
  if (ghosts.length > MAX_GHOSTS) ghosts.shift().destroy();
  await sleep(random.int(500, 3_000), undefined, { signal });
  session.silence();
}
