// The tables of the game, on PostgreSQL.

import { DataTypes, Sequelize } from 'sequelize';

export const RESOURCES = ['wood', 'stone', 'iron', 'food'];
const PRODUCERS = { sawmill: 'wood', quarry: 'stone', mine: 'iron', farm: 'food' };
export const GUILDS = ['red-foxes', 'iron-guard', 'night-owls', 'salt-traders', 'free-hands'];

const SEED_PLAYERS = 500;
const STORAGE_CAP = 1_000_000;

export function connectDatabase(url) {
  return new Sequelize(url, {
    dialect: 'postgres',
    logging: false,
    define: { underscored: true, timestamps: false },
    pool: { max: 10, min: 0, acquire: 5_000, idle: 10_000 },
    // Every query has a deadline in the client and in the server, so that a hanging server does not block the app.
    dialectOptions: {
      connectionTimeoutMillis: 3_000,
      statement_timeout: 5_000,
      query_timeout: 6_000,
      keepAlive: true,
      application_name: 'outpost',
    },
  });
}

export function defineModels(sequelize) {
  const { INTEGER, BIGINT, STRING, DATE } = DataTypes;
  const required = (type, rest) => ({ type, allowNull: false, ...rest });

  const Player = sequelize.define('player', {
    name: required(STRING(40)),
    guild: required(STRING(40)),
    level: required(INTEGER, { defaultValue: 1 }),
    gold: required(BIGINT, { defaultValue: 100 }),
    avatarSha256: { type: STRING(64) },
  });
  const Building = sequelize.define('building', {
    kind: required(STRING(20)),
    produces: required(STRING(20)),
    level: required(INTEGER, { defaultValue: 1 }),
  }, { indexes: [{ fields: ['player_id'] }] });
  const Resource = sequelize.define('resource', {
    playerId: required(INTEGER, { primaryKey: true, references: { model: Player } }),
    kind: required(STRING(20), { primaryKey: true }),
    amount: required(BIGINT, { defaultValue: 0 }),
  });
  const Order = sequelize.define('order', {
    resource: required(STRING(20)),
    side: required(STRING(4)),
    quantity: required(INTEGER),
    price: required(INTEGER),
    status: required(STRING(10), { defaultValue: 'open' }),
  }, { indexes: [{ fields: ['resource', 'status'] }] });
  const Battle = sequelize.define('battle', {
    kind: required(STRING(20)),
    attackerId: required(INTEGER),
    defenderId: required(INTEGER),
    loot: required(INTEGER),
    foughtAt: required(DATE, { defaultValue: DataTypes.NOW }),
  });
  const Mail = sequelize.define('mail', {
    subject: required(STRING(120)),
    sentAt: required(DATE, { defaultValue: DataTypes.NOW }),
  });
  const GuildScore = sequelize.define('guild_score', {
    guild: required(STRING(40), { primaryKey: true }),
    season: required(INTEGER, { primaryKey: true, defaultValue: 0 }),
    score: required(BIGINT),
  });

  Player.hasMany(Building);
  Building.belongsTo(Player);
  Player.hasMany(Order);
  Order.belongsTo(Player);
  Player.hasMany(Mail);
  Mail.belongsTo(Player);

  return { Player, Building, Resource, Order, Battle, Mail, GuildScore };
}

/** Creates the tables and, in an empty database, the first settlers. */
export async function createWorld(sequelize, models) {
  await sequelize.sync();
  await sequelize.transaction(async (transaction) => {
    // Two backends may start on the same empty database.
    await sequelize.query('LOCK TABLE players IN EXCLUSIVE MODE', { transaction });
    if (await models.Player.count({ transaction })) return;
    const settlers = Array.from({ length: SEED_PLAYERS }, (_, i) => (
      { name: `settler-${i + 1}`, guild: GUILDS[(i + 1) % GUILDS.length] }
    ));
    await settle(models, settlers, transaction);
  });
}

/** New players (`[{ name, guild }]`) with their initial buildings and stock. */
export async function settle({ Player, Building, Resource }, newcomers, transaction) {
  const players = await Player.bulkCreate(newcomers, { transaction });
  const forEach = (list, row) => players.flatMap(({ id }) => list.map((item) => ({ playerId: id, ...row(item) })));
  const buildings = forEach(Object.entries(PRODUCERS), ([kind, produces]) => ({ kind, produces }));
  await Building.bulkCreate(buildings, { transaction });
  await Resource.bulkCreate(forEach(RESOURCES, (kind) => ({ kind, amount: 50 })), { transaction });
  return players;
}

/** One tick: buildings produce, open orders are filled, old rows are deleted. */
export function produce(sequelize) {
  return sequelize.transaction(async (transaction) => {
    const run = (sql) => sequelize.query(sql, { transaction });
    // Rows are locked in the same order as in battles, to avoid deadlocks.
    await run('SELECT COUNT(*) FROM (SELECT 1 FROM resources ORDER BY player_id, kind FOR UPDATE) AS locked');
    await run(`
      UPDATE resources r SET amount = LEAST(r.amount + p.rate, ${STORAGE_CAP})
      FROM (SELECT player_id, produces, SUM(level) AS rate FROM buildings GROUP BY player_id, produces) p
      WHERE r.player_id = p.player_id AND r.kind = p.produces`);
    await run(`
      UPDATE orders SET status = 'filled'
      WHERE id IN (SELECT id FROM orders WHERE status = 'open' ORDER BY id LIMIT 200)`);
    for (const table of ['orders', 'battles', 'mails']) {
      await run(`DELETE FROM ${table} WHERE id < (SELECT MAX(id) - 5000 FROM ${table})`);
    }
  });
}
