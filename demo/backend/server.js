// Entry point: reads the environment, prints a line when ready, shuts down on SIGTERM.

import { settingsFrom, start } from './app.js';
import { createLog } from './log.js';

const CLOSE_WITHIN_MS = 8_000;

const log = createLog();
try {
  const backend = await start({ ...settingsFrom(process.env), log });
  log.info('listening', { port: backend.port });
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, async () => {
      setTimeout(() => process.exit(1), CLOSE_WITHIN_MS).unref();
      await backend.close();
      process.exit(0);
    });
  }
} catch (error) {
  log.error('could not start', error);
  process.exit(1);
}
