// Real clients, each of which makes the same exchanges with the app of `frameworks.js`. Prints what every one of them received.

import { execFile } from 'node:child_process';
import http from 'node:http';
import { createHash } from 'node:crypto';
import { parseArgs, promisify } from 'node:util';
import { say } from './lines.js';

const { values: args } = parseArgs({
  options: { target: { type: 'string' }, clients: { type: 'string' } },
});
const { target } = args;
const run = promisify(execFile);
const UPLOAD = Buffer.alloc(300_000, 'upload ');
const JSON_BODY = { name: 'Zoë', list: [1, 2.5, null] };
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** What a client received, in the same form for all of them. */
const answer = (status, headers, body) => {
  const bytes = Buffer.from(body);
  const kept = ['content-type', 'content-length', 'transfer-encoding', 'cache-control', 'etag', 'x-powered-by', 'vary'];
  const fields = Object.fromEntries(kept.flatMap((name) => (headers[name] ? [[name, headers[name]]] : [])));
  return { status, fields, bytes: bytes.length, sha256: sha256(bytes) };
};

/** The exchanges, by a function that makes one. */
async function exchanges(ask) {
  const octets = { 'content-type': 'application/octet-stream' };
  return {
    item: await ask('GET', '/items/7%20a?q=x%20y'),
    missing: await ask('GET', '/nothing/here'),
    echo: await ask('POST', '/echo', JSON.stringify(JSON_BODY), { 'content-type': 'application/json' }),
    upload: await ask('PUT', '/upload', UPLOAD, octets),
    head: await ask('HEAD', '/items/8'),
    large: await ask('GET', '/large'),
    events: await ask('GET', '/events'),
  };
}

const byFetch = (fetch) => async (method, path, body, headers) => {
  const response = await fetch(target + path, { method, body, headers });
  const bytes = await response.arrayBuffer();
  return answer(response.status, Object.fromEntries(response.headers), bytes);
};

/** A round trip of a Socket.IO client, whatever its version. */
const socketio = (io, transports) => new Promise((resolve, reject) => {
  const socket = io(target, { transports, forceNew: true, reconnection: false });
  socket.on('connect_error', reject);
  socket.on('connect', () => socket.emit('echo', JSON_BODY, (value) => {
    socket.close();
    resolve(value);
  }));
});

async function socketioOf(name) {
  const module = await import(name);
  const io = module.io ?? module.default;
  return {
    polling: await socketio(io, ['polling']),
    websocket: await socketio(io, ['websocket']),
    upgraded: await socketio(io, ['polling', 'websocket']),
  };
}

const CLIENTS = {
  fetch: () => exchanges(byFetch(fetch)),

  async undici() {
    const { request } = await import('undici');
    return exchanges(async (method, path, body, headers) => {
      const response = await request(target + path, { method, body, headers });
      return answer(response.statusCode, response.headers, await response.body.arrayBuffer());
    });
  },

  async http() {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const result = await exchanges((method, path, body, headers) => new Promise((resolve, reject) => {
      const request = http.request(target + path, { method, headers, agent }, async (response) => {
        const chunks = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve(answer(response.statusCode, response.headers, Buffer.concat(chunks)));
      });
      request.on('error', reject);
      request.end(body);
    }));
    agent.destroy();
    return result;
  },

  async axios() {
    const { default: axios } = await import('axios');
    return exchanges(async (method, url, data, headers) => {
      const response = await axios({
        baseURL: target, method, url, data, headers, responseType: 'arraybuffer', validateStatus: () => true,
      });
      return answer(response.status, response.headers, response.data);
    });
  },

  async got() {
    const { got } = await import('got');
    return exchanges(async (method, path, body, headers) => {
      const response = await got(target + path, {
        method, body, headers, responseType: 'buffer', throwHttpErrors: false, retry: { limit: 0 },
      });
      return answer(response.statusCode, response.headers, response.body);
    });
  },

  async curl() {
    const ask = async (method, path, body, headers = {}) => {
      const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
      const data = body ? ['--data-binary', '@-'] : [];
      const how = method === 'HEAD' ? ['-I'] : ['-X', method];
      const running = run('curl', ['-s', '-i', ...how, ...fields, ...data, target + path], { encoding: 'buffer', maxBuffer: 1e8 });
      if (body) running.child.stdin.end(body);
      // Without the head of `100 Continue`, if there is one, and without the date.
      let { stdout } = await running;
      if (stdout.indexOf('HTTP/1.1 100') === 0) stdout = stdout.subarray(stdout.indexOf('\r\n\r\n') + 4);
      const end = stdout.indexOf('\r\n\r\n');
      const head = stdout.subarray(0, end).toString().replace(/\r\ndate:[^\r]*/i, '');
      return { head, bytes: stdout.length - end - 4, sha256: sha256(stdout.subarray(end + 4)) };
    };
    return exchanges(ask);
  },

  async eventsource() {
    const { EventSource } = await import('eventsource');
    const source = new EventSource(`${target}/events`);
    const seen = [];
    await new Promise((resolve) => {
      source.onmessage = ({ data, lastEventId }) => {
        seen.push([lastEventId, data]);
        if (seen.length === 3) resolve();
      };
    });
    source.close();
    return seen;
  },

  async ws() {
    const { WebSocket } = await import('ws');
    const socket = new WebSocket(`${target.replace('http', 'ws')}/ws`);
    const seen = [];
    await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => ['text', Buffer.alloc(200_000, 1), ''].forEach((one) => socket.send(one)));
      socket.on('message', (data, isBinary) => {
        seen.push([isBinary, data.length, sha256(data)]);
        if (seen.length === 3) socket.close(1000, 'done');
      });
      socket.on('close', (code) => {
        seen.push(code);
        resolve();
      });
    });
    return seen;
  },

  async graphql() {
    const { createClient } = await import('graphql-ws');
    const { WebSocket } = await import('ws');
    const client = createClient({ url: `${target.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
    const seen = [];
    for await (const result of client.iterate({ query: 'subscription { counted }' })) seen.push(result);
    await client.dispose();
    return seen;
  },

  'socket.io-2': () => socketioOf('socket.io-client-v2'),
  'socket.io-3': () => socketioOf('socket.io-client-v3'),
  'socket.io-4': () => socketioOf('socket.io-client'),
};

const names = args.clients ? args.clients.split(',') : Object.keys(CLIENTS);
const results = {};
for (const name of names) {
  try {
    results[name] = await CLIENTS[name]();
  } catch (error) {
    results[name] = { error: String(error.cause ?? error) };
  }
}
say(results);
process.exit(0);
