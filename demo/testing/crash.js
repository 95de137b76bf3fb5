// An Express app in two worker processes. GET /crash ends the process that handles it. Prints the port, then a line for each worker
// that ends.
import cluster from 'node:cluster';
import express from 'express';

const WORKERS = 2;
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

if (cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', (worker, { port }) => {
    listening += 1;
    if (listening === WORKERS) print({ msg: 'listening', port });
  });
  cluster.on('exit', (worker) => print({ msg: 'ended', worker: worker.id }));
  const workers = Array.from({ length: WORKERS }, () => cluster.fork());
  process.on('SIGTERM', () => {
    workers.forEach((worker) => worker.kill());
    process.exit(0);
  });
} else {
  const app = express();
  app.get('/', (req, res) => res.send('ok'));
  app.get('/crash', () => process.exit(1));
  app.listen(0, '127.0.0.1');
}
