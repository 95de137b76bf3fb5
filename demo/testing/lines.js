// JSON lines: one command per input line, one reply per output line.

import { createInterface } from 'node:readline';

export const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');

/** Replies to each command with the result of its handler, in order; a failure is a reply too. */
export async function serve(handlers) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (!line.trim()) continue;
    let cmd;
    try {
      const command = JSON.parse(line);
      cmd = command.cmd;
      if (!Object.hasOwn(handlers, cmd)) throw new Error('unknown command');
      say({ cmd, ...await handlers[cmd](command) });
    } catch (error) {
      say({ cmd, error: error.message });
    }
  }
}
