// Answers as the path says: /length/N, /chunked/N, /status/CODE.
const http = require('node:http');

const server = http.createServer((request, response) => {
  const [, kind, number] = request.url.split('/');
  request.resume().on('end', () => {
    if (kind === 'status') {
      response.statusCode = Number(number);
      response.end();
    } else if (kind === 'length') {
      response.setHeader('content-length', number);
      response.end(Buffer.alloc(Number(number), 'x'));
    } else {
      for (let left = Number(number); left > 0; left -= 10_000) {
        response.write(Buffer.alloc(Math.min(left, 10_000), 'x'));
      }
      response.end();
    }
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, process.argv[1], () => {
  console.log(JSON.stringify({ port: server.address().port }));
});
