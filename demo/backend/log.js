// Logging: one JSON line on stdout. A repeated error (an unreachable Redis causes many
// per second) is written at most once per second.

const REPEAT_MS = 1000;

export function createLog(write = (line) => process.stdout.write(line + '\n')) {
  const lastSeen = new Map();

  const emit = (level, msg, fields) => write(JSON.stringify({ level, msg, ...fields }));

  return {
    info: (msg, fields) => emit('info', msg, fields),
    error(msg, error) {
      const reason = describe(error);
      const key = `${msg} ${reason}`;
      const now = Date.now();
      if (now - (lastSeen.get(key) ?? 0) < REPEAT_MS) return;
      if (lastSeen.size > 200) lastSeen.clear();
      lastSeen.set(key, now);
      emit('error', msg, { error: reason });
    },
  };
}

// Messages of connection errors are sometimes empty (AggregateError): fall back to the code.
function describe(error) {
  return error?.message || error?.code || error?.name || String(error);
}
