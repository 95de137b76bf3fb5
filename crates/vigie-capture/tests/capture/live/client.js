// Sends requests of every kind over four connections, and prints how many were answered.
const http = require('node:http');

const [target, number] = [process.argv[1], Number(process.argv[2])];
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
const kinds = [
  ['GET', '/length/5'],
  ['GET', '/length/300000'],
  ['GET', '/chunked/5'],
  ['GET', '/chunked/300000'],
  ['POST', '/length/20', 300_000],
  ['GET', '/status/204'],
  ['GET', '/status/500'],
  ['HEAD', '/length/300000'],
];

const ask = ([method, path, sent]) => new Promise((resolve, reject) => {
  const request = http.request(new URL(path, target), { method, agent }, (response) => {
    response.resume().on('end', resolve).on('error', reject);
  });
  request.on('error', reject);
  request.end(sent ? Buffer.alloc(sent, 'y') : undefined);
});

Promise.all(Array.from({ length: number }, (_, n) => ask(kinds[n % kinds.length]))).then((all) => {
  console.log(JSON.stringify({ answered: all.length }));
  process.exit(0);
});
