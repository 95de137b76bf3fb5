// Connects with several client libraries and prints the results, to compare Vigie's parsing of addresses with theirs.
//
//   node testing/address.js LIBRARY ADDRESS [LIBRARY ADDRESS …]
//
// prints a line for each: {"connected": true, "database": …, "user": …, "tls": …} or {"connected": false, "error": …}.

const POSTGRES = `SELECT current_database() AS database, current_user AS "user",
  (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls`;
const MYSQL = "SELECT database() AS `database`, substring_index(user(), '@', 1) AS user";

// The cipher in use is empty without TLS.
const ofMysql = async (query) => {
  const [row] = await query(MYSQL);
  const [status] = await query("SHOW STATUS LIKE 'Ssl_cipher'");
  return { ...row, tls: status.Value !== '' };
};

// `CLIENT INFO` names the database and the user; the library reports TLS.
const ofRedis = (info, tls) => ({
  database: Number(/ db=(\d+)/.exec(info)[1]),
  user: / user=(\S+)/.exec(info)[1],
  tls,
});

const libraries = {
  async pg(address) {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: address, connectionTimeoutMillis: 5000 });
    client.on('error', () => {});
    await client.connect();
    return [(await client.query(POSTGRES)).rows[0], () => client.end()];
  },
  async sequelize(address) {
    const { Sequelize } = await import('sequelize');
    const sequelize = new Sequelize(address, { logging: false, retry: { max: 0 } });
    const query = async (sql) => (await sequelize.query(sql))[0];
    const isPostgres = sequelize.getDialect() === 'postgres';
    const told = isPostgres ? (await query(POSTGRES))[0] : await ofMysql(query);
    return [told, () => sequelize.close()];
  },
  async mysql2(address) {
    const { createConnection } = await import('mysql2/promise');
    const connection = await createConnection(address);
    const told = await ofMysql(async (sql) => (await connection.query(sql))[0]);
    return [told, () => connection.end()];
  },
  async ioredis(address) {
    const { Redis } = await import('ioredis');
    const once = { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 };
    const ca = process.env.REDIS_CA;
    const tls = ca && address.startsWith('rediss:') ? { tls: { ca: await read(ca) } } : {};
    const redis = new Redis(address, { ...once, ...tls });
    let reason;
    redis.on('error', (error) => (reason = error));
    try {
      await redis.connect();
      const info = await redis.client('INFO');
      return [ofRedis(info, redis.stream.encrypted === true), () => redis.disconnect()];
    } catch (error) {
      throw reason ?? error;
    }
  },
  async redis(address) {
    const { createClient } = await import('redis');
    const ca = process.env.REDIS_CA;
    const tls = ca && address.startsWith('rediss:') ? { tls: true, ca: await read(ca) } : {};
    const socket = { reconnectStrategy: false, ...tls };
    const client = createClient({ url: address, socket });
    client.on('error', () => {});
    await client.connect();
    const info = await client.sendCommand(['CLIENT', 'INFO']);
    return [ofRedis(info, address.startsWith('rediss:')), () => client.destroy()];
  },
};

const read = async (path) => (await import('node:fs/promises')).readFile(path);

const pairs = process.argv.slice(2);
while (pairs.length > 0) {
  const [library, address] = pairs.splice(0, 2);
  process.removeAllListeners('uncaughtException');
  try {
    // Some libraries throw errors that cannot be caught.
    const thrown = new Promise((_, reject) => process.once('uncaughtException', reject));
    const [told, close] = await Promise.race([libraries[library](address), thrown]);
    console.log(JSON.stringify({ connected: true, ...told }));
    await close();
  } catch (error) {
    const text = String(error.message || error.code || error);
    console.log(JSON.stringify({ connected: false, error: text }));
  }
}
process.exit();
