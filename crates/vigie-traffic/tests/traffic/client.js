// What Node's HTTP client parses. Reads lines of JSON, { cmd, method, inputs, insecure }, where each input is the bytes of a
// connection from its server in Latin-1, and answers each with the interim responses, the final one and the error, if any.
'use strict';

const http = require('http');
const { Duplex } = require('stream');
const readline = require('readline');

const turn = () => new Promise(setImmediate);

async function parse(input, method, insecure) {
  const log = { interim: [], response: null, error: null };
  let changes = 0;
  const socket = new Duplex({ read() {}, write: (data, encoding, done) => done() });
  const failed = (error) => {
    log.error ??= error.code ?? String(error);
    changes += 1;
  };
  socket.on('error', failed);
  const request = http.request({
    method,
    insecureHTTPParser: insecure,
    maxHeaderSize: 1024 * 1024,
    createConnection: () => socket,
  });
  request.on('error', failed);
  request.on('information', (response) => {
    log.interim.push({ status: response.statusCode, version: response.httpVersion, fields: response.rawHeaders });
    changes += 1;
  });
  request.on('response', (response) => {
    const { statusCode: status, httpVersion: version, rawHeaders: fields } = response;
    const body = [];
    log.response = { status, version, fields, body: '', complete: false };
    response.on('error', failed);
    response.on('data', (data) => {
      body.push(data);
      log.response.body = Buffer.concat(body).toString('latin1');
      changes += 1;
    });
    response.on('end', () => {
      log.response.complete = response.complete;
      log.response.trailers = response.rawTrailers;
      changes += 1;
    });
    changes += 1;
  });
  request.end();
  await turn();
  socket.push(Buffer.from(input, 'latin1'));
  for (let still = 0, seen = -1; still < 4; still += 1) {
    if (changes !== seen) {
      still = 0;
      seen = changes;
    }
    await turn();
  }
  // What happens to the connection afterwards is not of interest.
  const result = structuredClone(log);
  socket.destroy();
  return result;
}

async function answer(line) {
  const { cmd, method, inputs, insecure } = JSON.parse(line);
  const results = await Promise.all(inputs.map((input) => parse(input, method, insecure)));
  process.stdout.write(`${JSON.stringify({ cmd, results })}\n`);
}

let last = Promise.resolve();
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
  last = last.then(() => answer(line));
});
lines.on('close', () => process.exit(0));
