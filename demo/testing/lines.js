// JSON lines: one command a line in, one reply a line out.

import { createInterface } from 'node:readline';

export const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');

/** Answers each command with what its handler returns, in order; a failure is an answer, too. */
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
