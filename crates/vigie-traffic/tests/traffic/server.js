// What Node's HTTP server parses. Reads lines of JSON, { cmd, inputs, insecure, tcp }, where each input is the bytes of
// one connection in Latin-1, and answers each with the messages that the server received and its error, if any.
'use strict';

const http = require('http');
const net = require('net');
const { Duplex } = require('stream');
const readline = require('readline');

const latin1 = (bytes) => Buffer.concat(bytes).toString('latin1');

function server(insecure) {
  const options = {
    insecureHTTPParser: insecure,
    // The differences of interest are in the parser.
    requireHostHeader: false,
    maxHeaderSize: 1024 * 1024,
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: 0,
  };
  const handle = (request, response) => {
    const { messages } = request.socket.log;
    const body = [];
    const message = {
      method: request.method,
      target: request.url,
      version: request.httpVersion,
      fields: request.rawHeaders,
      body: '',
      complete: false,
    };
    messages.push(message);
    request.on('data', (data) => {
      body.push(data);
      message.body = latin1(body);
      request.socket.log.changes += 1;
    });
    request.on('end', () => {
      message.complete = true;
      message.trailers = request.rawTrailers;
      request.socket.log.changes += 1;
      response.end();
    });
    request.on('error', () => {});
    request.socket.log.changes += 1;
  };
  const server = http.createServer(options, handle);
  server.on('checkContinue', handle);
  server.on('checkExpectation', handle);
  server.on('clientError', (error, socket) => {
    socket.log.error ??= error.code;
    socket.log.changes += 1;
    // The socket is destroyed later: messages before the error are still delivered.
  });
  return server;
}

const servers = { false: server(false), true: server(true) };

const turn = () => new Promise(setImmediate);

// Waits until nothing has changed for some turns of the event loop.
async function quiet(log) {
  for (let still = 0, seen = -1; still < 4; still += 1) {
    if (log.changes !== seen) {
      still = 0;
      seen = log.changes;
    }
    await turn();
  }
}

async function overMemory(input, insecure) {
  const log = { messages: [], error: null, changes: 0 };
  const socket = new Duplex({ read() {}, write: (data, encoding, done) => done() });
  socket.on('error', () => {});
  socket.log = log;
  servers[insecure].emit('connection', socket);
  socket.push(Buffer.from(input, 'latin1'));
  await quiet(log);
  socket.destroy();
  return { messages: log.messages, error: log.error };
}

async function overTcp(input, insecure) {
  const server = servers[insecure];
  if (!server.listening) {
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  }
  const log = { messages: [], error: null, changes: 0 };
  const bytes = Buffer.from(input, 'latin1');
  const accepted = new Promise((accept) => server.prependOnceListener('connection', accept));
  const client = net.connect(server.address().port, '127.0.0.1');
  client.on('error', () => {});
  const socket = await accepted;
  socket.log = log;
  const closed = new Promise((close) => client.on('close', close));
  client.resume();
  client.write(bytes);
  while (socket.bytesRead < bytes.length && !socket.destroyed) await turn();
  await quiet(log);
  client.destroy();
  await closed;
  return { messages: log.messages, error: log.error };
}

async function answer(line) {
  const { cmd, inputs, insecure, tcp } = JSON.parse(line);
  const results = [];
  if (tcp) {
    for (const input of inputs) results.push(await overTcp(input, insecure));
  } else {
    results.push(...(await Promise.all(inputs.map((input) => overMemory(input, insecure)))));
  }
  process.stdout.write(`${JSON.stringify({ cmd, results })}\n`);
}

let last = Promise.resolve();
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
  last = last.then(() => answer(line));
});
lines.on('close', () => process.exit(0));
