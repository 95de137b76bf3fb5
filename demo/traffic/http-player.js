// The HTTP side of a player: a keep-alive connection, one request at a time.

import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROUTES } from './routes.js';

const ANSWER_WITHIN_MS = 15_000;
const GIVE_UP_AFTER_REFUSALS = 40;

/** The outcomes of the requests, by route template and status. */
export function createTally() {
  return {
    sent: 0, answered: 0, aborted: 0, errors: 0, refused: 0, byTemplate: {},
    count(template, outcome) {
      const row = (this.byTemplate[template] ??= {});
      row[outcome] = (row[outcome] ?? 0) + 1;
    },
  };
}

/** Plays until `mayGoOn()` returns false; each `true` is one request. */
export async function play({ target, random, tally, thinkMs, mayGoOn, giveBack, verbose }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let refusals = 0;
  while (refusals < GIVE_UP_AFTER_REFUSALS && mayGoOn()) {
    const route = random.weighted(ROUTES);
    const outcome = await ask({ target, agent, route, random });
    if (outcome.kind === 'refused') {
      tally.refused += 1;
      refusals += 1;
      giveBack();
      await sleep(250);
      continue;
    }
    refusals = 0;
    tally.sent += 1;
    tally[outcome.kind] += 1;
    tally.count(route.template, outcome.kind === 'answered' ? outcome.status : outcome.kind);
    verbose?.({ template: route.template, ...outcome });
    await sleep(-Math.log(1 - random.next()) * thinkMs);
  }
  agent.destroy();
}

/**
 * Sends one request. The outcome is `answered` (with its status), `aborted` (the client disconnected),
 * `errors` (sent, but the response was not complete) or `refused` (never sent: no connection).
 */
function ask({ target, agent, route, random }) {
  const method = route.template.split(' ', 1)[0];
  const { type, body } = route.payload?.(random) ?? {};
  const aborting = random.next() < (route.abort ?? 0);
  const patience = random.int(60, 250);
  const headers = body ? { 'content-type': type, 'content-length': Buffer.byteLength(body) } : {};

  return new Promise((resolve) => {
    const url = new URL(route.path(random), target);
    const request = http.request(url, { method, agent, headers, timeout: ANSWER_WITHIN_MS });
    let connected = false;
    let leaving = false;
    let impatience;

    const leave = () => {
      if (request.destroyed) return;
      leaving = true;
      request.destroy();
    };
    request.on('socket', (socket) => {
      if (!socket.connecting) connected = true;
      else socket.once('connect', () => { connected = true; });
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('response', (response) => {
      response.on('data', () => { if (aborting) leave(); });
      response.on('end', () => {
        clearTimeout(impatience); // the connection belongs to the next request now
        if (!leaving) resolve({ kind: 'answered', status: response.statusCode });
      });
    });
    request.on('error', (error) => {
      if (leaving) return;
      resolve({ kind: connected ? 'errors' : 'refused', error: error.code ?? error.message });
    });
    request.on('close', () => {
      if (leaving) resolve({ kind: 'aborted' });
      else resolve({ kind: connected ? 'errors' : 'refused', error: 'closed' }); // no-op when already settled
    });

    if (aborting && body) {
      // Disconnects in the middle of the upload, after the head was sent.
      request.write(body.subarray(0, body.length >> 1));
      impatience = setTimeout(leave, patience);
    } else {
      request.end(body);
      if (aborting) impatience = setTimeout(leave, patience);
    }
  });
}
