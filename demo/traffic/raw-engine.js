// A raw Engine.IO client, for cases that client libraries do not produce: disconnecting in the middle of an exchange.

import http from 'node:http';
import { once } from 'node:events';
import WebSocket from 'ws';

const IO_DEADLINE_MS = 60_000;
const HANDSHAKE_DEADLINE_MS = 10_000;

const address = (target, transport, sid) => {
  const url = new URL('/socket.io/', target);
  url.search = new URLSearchParams({ EIO: '4', transport, ...(sid && { sid }) });
  return url;
};

function send(url, agent, body) {
  return new Promise((resolve, reject) => {
    const headers = body ? { 'content-type': 'text/plain;charset=UTF-8', 'content-length': Buffer.byteLength(body) } : {};
    const request = http.request(url, { method: body ? 'POST' : 'GET', agent, headers, timeout: IO_DEADLINE_MS });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => { text += chunk; });
      response.on('end', () => resolve({ status: response.statusCode, text }));
      response.on('error', reject);
    });
    request.end(body);
  });
}

/** A polling session whose client disappeared after the handshake, without a namespace or an open connection. */
export async function openAbandoned(target, agent) {
  const { status, text } = await send(address(target, 'polling'), agent);
  if (status !== 200 || !text.startsWith('0')) throw new Error(`handshake answered ${status}`);
  const { sid } = JSON.parse(text.slice(1));
  return {
    sid,
    /** The client returns and closes the session. */
    async close() {
      const answer = await send(address(target, 'polling', sid), agent, '1');
      if (answer.status !== 200) throw new Error(`good-bye answered ${answer.status}`);
    },
  };
}

/**
 * A polling session that polls, answers pings and has joined `/`.
 * `ended` resolves when the server has ended it or `destroy()` was called.
 */
export async function openPolling(target) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
  const { status, text } = await send(address(target, 'polling'), agent);
  if (status !== 200 || !text.startsWith('0')) throw new Error(`handshake answered ${status}`);
  const { sid, pingInterval, pingTimeout } = JSON.parse(text.slice(1));
  const here = address(target, 'polling', sid);
  await send(here, agent, '40');

  let polling = true;
  let resume;
  const resumed = new Promise((resolve) => { resume = resolve; });
  const poll = async () => {
    while (polling) {
      const answer = await send(here, agent);
      const packets = answer.text.split('\x1e');
      if (answer.status !== 200 || packets.includes('1')) return;
      // A noop means that another transport takes over (or was going to).
      if (packets.includes('6')) await resumed;
      if (polling && packets.includes('2')) await send(here, agent, '3');
    }
  };
  const ended = poll().catch(() => {});

  return {
    sid, pingInterval, pingTimeout, ended,
    /** Polls again after the server ended a poll because of an upgrade. */
    resume,
    /** No further poll, no further pong; the connections stay open. */
    silence() { polling = false; },
    /** The client closes the session. */
    async close() {
      polling = false;
      resume();
      await send(here, agent, '41\x1e1').catch(() => {});
      agent.destroy();
    },
    /** Closes the TCP connections, regardless of their state. */
    destroy() {
      polling = false;
      resume();
      agent.destroy();
    },
  };
}

/** Opens the websocket of an existing session and sends the probe; the upgrade is not finished. */
export async function probe(target, sid) {
  const ws = await openSocket(address(target, 'websocket', sid));
  ws.send('2probe');
  await first(ws, (text) => text === '3probe');
  return ws;
}

/** A session on a websocket (direct, or upgraded from polling) that answers pings and has joined `/`. */
export async function openWebsocket(target, { upgraded = false } = {}) {
  let ws;
  let session;
  if (upgraded) {
    session = await openPolling(target);
    ws = await probe(target, session.sid);
    session.silence();
    ws.send('5');
  } else {
    ws = await openSocket(address(target, 'websocket'));
    session = JSON.parse((await ws.opening).slice(1));
    ws.send('40');
  }
  const { sid, pingInterval, pingTimeout } = session;
  const pong = (data) => { if (String(data) === '2') ws.send('3'); };
  ws.on('message', pong);
  const ended = once(ws, 'close').catch(() => {});

  return {
    sid, pingInterval, pingTimeout, ended,
    /** Stops reading and writing; the connection stays open. */
    silence() {
      ws.off('message', pong);
      ws._socket?.pause();
    },
    destroy() {
      ws._socket?.destroy();
      ws.terminate();
      session.destroy?.();
    },
  };
}

async function openSocket(url) {
  url.protocol = url.protocol.replace('http', 'ws');
  const ws = new WebSocket(url, { handshakeTimeout: HANDSHAKE_DEADLINE_MS, perMessageDeflate: false });
  ws.on('error', () => {});
  ws.opening = first(ws, (text) => text.startsWith('0'));
  ws.opening.catch(() => {});
  await once(ws, 'open');
  return ws;
}

function first(ws, matches) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer in time')), HANDSHAKE_DEADLINE_MS);
    const settle = (finish, value) => {
      clearTimeout(timer);
      ws.off('message', onMessage);
      finish(value);
    };
    const onMessage = (data) => { if (matches(String(data))) settle(resolve, String(data)); };
    ws.on('message', onMessage);
    ws.once('close', () => settle(reject, new Error('closed before the answer')));
  });
}
