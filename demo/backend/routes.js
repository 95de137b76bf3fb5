// The HTTP API.

import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import express, { Router } from 'express';
import { ConnectionError } from 'sequelize';
import { closeSeason } from './jobs.js';
import { GUILDS, RESOURCES, settle } from './models.js';

const BATTLE_KINDS = { raid: {}, ambush: {}, duel: { priority: 5 }, siege: { delay: 1_500 } };
const MAX_BLOCK_MS = 5_000;
const EXPORT_PAGE = 100;

export function createApi({ sequelize, models, jobs, log }) {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', 'loopback');
  app.use(express.json({ limit: '64kb' }));

  app.get('/', (req, res) => res.json({ game: 'outpost', resources: RESOURCES, guilds: GUILDS }));
  app.use('/players', players({ sequelize, models, jobs }));
  app.use('/guilds/:guild', guilds({ models }));
  app.use('/orders', orders({ models }));
  app.use('/market', market({ sequelize }));
  app.use('/reports', reports({ sequelize, models, jobs }));
  app.post('/admin/block', (req, res) => {
    const ms = Math.min(Number(req.query.ms) || 0, MAX_BLOCK_MS);
    block(ms);
    res.json({ blockedMs: ms });
  });

  app.use((req, res) => res.status(404).json({ error: 'no such place' }));
  app.use((error, req, res, next) => {
    const status = statusOf(error);
    if (status >= 500) log.error(`${req.method} ${req.baseUrl}${req.route?.path ?? ''}`, error);
    if (res.headersSent) return next(error);
    res.status(status).json({ error: status === 503 ? 'come back later' : error.message });
  });
  return app;
}

/** Blocks the event loop with computation. */
export function block(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const refuse = (status, message) => Object.assign(new Error(message), { status });

function statusOf(error) {
  if (error.status) return error.status;
  if (error.message === 'aborted') return 400; // the client disconnected while sending
  const unreachable = error instanceof ConnectionError
    || /Connection is closed|enableOfflineQueue|Command timed out|max retries per request|ECONNREFUSED|Query read timeout/.test(error.message);
  return unreachable ? 503 : 500;
}

function idOf(text) {
  const id = Number(text);
  if (!Number.isInteger(id) || id < 1 || id > 2 ** 31 - 1) throw refuse(400, 'not an id');
  return id;
}

async function found(row) {
  return (await row) ?? Promise.reject(refuse(404, 'not found'));
}

function players({ sequelize, models, jobs }) {
  const { Player, Building, Resource } = models;
  const router = Router();
  const one = (req) => found(Player.findByPk(idOf(req.params.id)));

  router.get('/', async (req, res) => {
    const limit = Math.min(Number(req.query.limit) || 20, 100);
    res.json(await Player.findAll({ order: ['id'], limit }));
  });
  router.post('/', async (req, res) => {
    const { name, guild } = req.body ?? {};
    if (typeof name !== 'string' || !name || name.length > 40) throw refuse(400, 'a name has 1 to 40 letters');
    if (!GUILDS.includes(guild)) throw refuse(400, 'no such guild');
    const [player] = await sequelize.transaction((transaction) => settle(models, [{ name, guild }], transaction));
    res.status(201).location(`/players/${player.id}`).json(player);
  });
  router.get('/:id', async (req, res) => res.json(await one(req)));
  router.patch('/:id', async (req, res) => {
    const player = await one(req);
    const { name } = req.body ?? {};
    if (typeof name !== 'string' || !name || name.length > 40) throw refuse(400, 'a name has 1 to 40 letters');
    res.json(await player.update({ name }));
  });
  router.get('/:id/buildings', async (req, res) => {
    const player = await one(req);
    res.json(await Building.findAll({ where: { playerId: player.id }, order: ['id'] }));
  });
  router.post('/:id/buildings/:building/upgrade', async (req, res) => {
    const where = { id: idOf(req.params.building), playerId: idOf(req.params.id) };
    const building = await found(Building.findOne({ where }));
    if (building.level >= 50) throw refuse(409, 'nothing left to improve');
    res.json(await building.increment('level'));
  });
  router.get('/:id/resources', async (req, res) => {
    const player = await one(req);
    res.json(await Resource.findAll({ where: { playerId: player.id } }));
  });
  router.put('/:id/avatar', async (req, res) => {
    const player = await one(req);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of req) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    await player.update({ avatarSha256: hash.digest('hex') });
    res.json({ bytes, sha256: player.avatarSha256 });
  });
  router.post('/:id/attack', async (req, res) => {
    const attackerId = idOf(req.params.id);
    const { target, kind = 'raid' } = req.body ?? {};
    const defenderId = idOf(target);
    if (!Object.hasOwn(BATTLE_KINDS, kind)) throw refuse(400, 'no such kind of battle');
    if (attackerId === defenderId) throw refuse(409, 'peace with yourself');
    const job = await jobs.queues.battles.add(kind, { attackerId, defenderId }, BATTLE_KINDS[kind]);
    res.status(202).json({ battle: job.id });
  });
  router.post('/:id/mail', async (req, res) => {
    const playerId = idOf(req.params.id);
    const { subject = 'greetings', urgent = false } = req.body ?? {};
    const data = { playerId, subject: String(subject).slice(0, 120) };
    const job = await jobs.queues.mail.add(urgent ? 'letter-urgent' : 'letter', data, urgent ? { priority: 1 } : {});
    res.status(202).json({ mail: job.id });
  });
  return router;
}

function guilds({ models }) {
  const { Player, GuildScore } = models;
  const router = Router({ mergeParams: true });
  router.use((req, res, next) => next(GUILDS.includes(req.params.guild) ? undefined : refuse(404, 'no such guild')));
  router.get('/members', async (req, res) => {
    res.json(await Player.findAll({ where: { guild: req.params.guild }, order: ['id'], limit: 50 }));
  });
  router.get('/members/:member', async (req, res) => {
    const where = { guild: req.params.guild, id: idOf(req.params.member) };
    res.json(await found(Player.findOne({ where })));
  });
  router.get('/score', async (req, res) => {
    res.json(await found(GuildScore.findOne({ where: { guild: req.params.guild } })));
  });
  return router;
}

function orders({ models }) {
  const { Order } = models;
  const router = Router();
  const one = (req) => found(Order.findByPk(idOf(req.params.id)));

  router.get('/', async (req, res) => res.json(await Order.findAll({ order: [['id', 'DESC']], limit: 25 })));
  router.post('/', async (req, res) => {
    const { playerId, resource, side, quantity, price } = req.body ?? {};
    const positive = (n) => Number.isInteger(n) && n > 0 && n < 1e6;
    if (!RESOURCES.includes(resource) || !['buy', 'sell'].includes(side) || !positive(quantity) || !positive(price)) {
      throw refuse(400, 'not an order');
    }
    const order = await Order.create({ playerId: idOf(playerId), resource, side, quantity, price });
    res.status(201).location(`/orders/${order.id}`).json(order);
  });
  router.get('/:id', async (req, res) => res.json(await one(req)));
  router.delete('/:id', async (req, res) => {
    await (await one(req)).destroy();
    res.status(204).end();
  });
  return router;
}

function market({ sequelize }) {
  const router = Router();
  router.param('resource', (req, res, next, resource) => {
    next(RESOURCES.includes(resource) ? undefined : refuse(404, 'not traded here'));
  });
  router.get('/:resource', async (req, res) => {
    const [rows] = await sequelize.query(
      `SELECT side, COUNT(*)::int AS orders, AVG(price)::float AS price
       FROM orders WHERE resource = :resource AND status = 'open' GROUP BY side`,
      { replacements: { resource: req.params.resource } },
    );
    res.json({ resource: req.params.resource, book: rows });
  });
  router.get('/:resource/stock', async (req, res) => {
    const [[row]] = await sequelize.query(
      'SELECT SUM(amount)::float AS total FROM resources WHERE kind = :resource',
      { replacements: { resource: req.params.resource } },
    );
    res.json({ resource: req.params.resource, ...row });
  });
  // An intentional bug: division by zero in the price model.
  router.post('/:resource/crash', async (req, res) => {
    const [[row]] = await sequelize.query(
      'SELECT COALESCE(SUM(price), 0) / (COUNT(*) - COUNT(*)) AS price FROM orders WHERE resource = :resource',
      { replacements: { resource: req.params.resource } },
    );
    res.json(row);
  });
  return router;
}

function reports({ sequelize, models, jobs }) {
  const { Resource } = models;
  const router = Router();
  router.get('/season', async (req, res) => {
    const [rows] = await sequelize.query(
      `SELECT p.guild, SUM(r.amount)::float AS wealth, COUNT(DISTINCT p.id)::int AS members
       FROM players p JOIN resources r ON r.player_id = p.id, pg_sleep(0.3 + random() * 0.5)
       GROUP BY p.guild ORDER BY wealth DESC`,
    );
    res.json(rows);
  });
  router.post('/season', async (req, res) => {
    const { job } = await closeSeason(jobs.flows);
    res.status(202).json({ season: job.id });
  });
  router.get('/export', async (req, res) => {
    const pages = csvPages(Resource);
    const first = await pages.next(); // an error here can still be answered with a status
    res.type('text/csv');
    try {
      await pipeline(async function* () {
        yield first.value;
        yield* pages;
      }, res);
    } catch (error) {
      // The client disconnected; there is nothing to answer.
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    }
  });
  return router;
}

async function* csvPages(Resource) {
  let lines = 'player,resource,amount\n';
  for (let offset = 0; ; offset += EXPORT_PAGE) {
    const rows = await Resource.findAll({ order: ['playerId', 'kind'], offset, limit: EXPORT_PAGE, raw: true });
    for (const row of rows) lines += `${row.playerId},${row.kind},${row.amount}\n`;
    yield lines;
    lines = '';
    if (rows.length < EXPORT_PAGE) return;
  }
}
