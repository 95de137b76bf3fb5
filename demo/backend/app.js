// Outpost, a small realtime game: settlers build, trade, write and fight.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startJobs } from './jobs.js';
import { createLog } from './log.js';
import { connectDatabase, createWorld, defineModels } from './models.js';
import { createApi } from './routes.js';
import { createSockets } from './sockets.js';

const START_ATTEMPTS = 30;
const CLOSE_STEP_MS = 2_000;

/** The settings of `start()`, from the environment. */
export function settingsFrom(env) {
  return {
    host: env.HOST ?? '127.0.0.1',
    port: Number(env.PORT ?? 3000),
    databaseUrl: env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/outpost',
    redisUrl: env.REDIS_URL ?? 'redis://127.0.0.1:6379',
    prefix: env.BULLMQ_PREFIX ?? 'bull',
    tickEveryMs: Number(env.TICK_EVERY_MS ?? 1000),
  };
}

/**
 * Starts the backend; resolves when it listens.
 * `socket` holds Socket.IO server options (pingInterval, pingTimeout, upgradeTimeout, …).
 */
export async function start({ host, port, databaseUrl, redisUrl, prefix, tickEveryMs, socket = {}, log = createLog() }) {
  const sequelize = connectDatabase(databaseUrl);
  const models = defineModels(sequelize);
  await patiently(() => createWorld(sequelize, models), log);

  const { io, announce } = createSockets(socket);
  const jobs = await startJobs({ redisUrl, prefix, tickEveryMs, sequelize, models, announce, log });
  const server = createServer(createApi({ sequelize, models, jobs, log }));
  io.attach(server);
  server.listen(port, host);
  await once(server, 'listening');

  return {
    server,
    io,
    port: server.address().port,
    async close() {
      // Unresponsive clients, Redis or database must not block the shutdown.
      await within(CLOSE_STEP_MS, io.close()); // also closes the HTTP server
      server.closeAllConnections();
      await within(CLOSE_STEP_MS, jobs.close());
      await within(CLOSE_STEP_MS, sequelize.close());
    },
  };
}

const within = (ms, work) => Promise.race([work, sleep(ms, undefined, { ref: false })]);

// Waits up to half a minute for a database that starts at the same time.
async function patiently(attempt, log) {
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      if (n === START_ATTEMPTS) throw error;
      log.error('database not ready', error);
      await sleep(1_000);
    }
  }
}
