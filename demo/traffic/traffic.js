// Generates the traffic of players, and prints the number of requests at the end.

import { parseArgs } from 'node:util';
import { createTally, play } from './http-player.js';
import { seeded } from './random.js';
import { visit } from './socket-player.js';

const { values: args } = parseArgs({
  options: {
    target: { type: 'string', default: 'http://127.0.0.1:8080' },
    players: { type: 'string', default: '20' },
    requests: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    think: { type: 'string', default: '30' },
    'quiet-sockets': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const players = Number(args.players);
const seed = Number(args.seed);
let left = args.requests ? Number(args.requests) : Infinity;

const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');
const verbose = args.verbose ? say : undefined;

const over = new AbortController();
const stop = () => over.abort();
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
const timer = args.seconds && setTimeout(stop, Number(args.seconds) * 1000);

const tally = createTally();
const ghosts = [];
const playing = Array.from({ length: players }, (_, i) => play({
  target: args.target,
  random: seeded(seed * 1000 + i),
  tally,
  thinkMs: Number(args.think),
  mayGoOn: () => !over.signal.aborted && left > 0 && left-- > 0,
  giveBack: () => { left += 1; },
  verbose,
}));
const visitors = args['quiet-sockets'] ? 0 : Math.ceil(players / 2);
const visiting = Array.from({ length: visitors }, (_, i) => visit({
  target: args.target,
  random: seeded(seed * 1000 + 500 + i),
  ghosts,
  mayGoOn: () => !over.signal.aborted,
  signal: over.signal,
  verbose,
}));

await Promise.all(playing);
stop();
clearTimeout(timer);
await Promise.all(visiting);
for (const ghost of ghosts) ghost.destroy();

say(tally);
process.exit(0);
