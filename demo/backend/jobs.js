// The queues of the game and the workers that serve them.

import { FlowProducer, Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { GUILDS, produce } from './models.js';

const TICK = 'production-tick';
const reconnectDelay = (attempt) => Math.min(attempt * 100, 2_000);

export async function startJobs({ redisUrl, prefix, tickEveryMs, sequelize, models, announce, log }) {
  // Producers serve HTTP requests, so they fail immediately when Redis is down. Workers wait for it.
  const producing = new Redis(redisUrl, {
    retryStrategy: reconnectDelay,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 3_000,
  });
  const working = new Redis(redisUrl, { retryStrategy: reconnectDelay, maxRetriesPerRequest: null });
  const report = (source) => (error) => log.error(source, error);
  producing.on('error', report('redis'));
  working.on('error', report('redis'));

  const gone = { removeOnComplete: true };
  const queue = (name, defaultJobOptions) => {
    const made = new Queue(name, { connection: producing, prefix, defaultJobOptions });
    made.on('error', report(`queue ${name}`));
    return made;
  };
  const queues = {
    production: queue('production', { ...gone, removeOnFail: { count: 100 } }),
    mail: queue('mail', {
      ...gone,
      removeOnFail: { count: 500 },
      attempts: 3,
      backoff: { type: 'exponential', delay: 200, jitter: 0.5 },
    }),
    battles: queue('battles', { ...gone, removeOnFail: true }),
    season: queue('season', { ...gone, removeOnFail: { count: 50 } }),
  };
  const flows = new FlowProducer({ connection: producing, prefix });
  flows.on('error', report('flows'));

  const work = { sequelize, models, announce, log };
  const worker = (name, process, options) => {
    const made = new Worker(name, process, { connection: working, prefix, ...options });
    made.on('error', report(`worker ${name}`));
    return made;
  };
  await Promise.all(Object.values(queues).map((q) => q.waitUntilReady()));
  const workers = [
    worker('production', ticking(work), { concurrency: 1 }),
    worker('mail', (job) => deliver(job, work), { concurrency: 5 }),
    worker('battles', (job) => fight(job, work), { concurrency: 5 }),
    worker('season', (job) => season(job, work), { concurrency: 3 }),
  ];
  for (const made of workers) {
    made.on('failed', (job, error) => log.error(`job ${job?.name ?? '?'} failed`, error));
  }

  const schedule = () => queues.production.upsertJobScheduler(TICK, { every: tickEveryMs }, { name: TICK });
  await schedule();
  // A Redis that restarted empty has lost the schedule.
  producing.on('ready', () => schedule().catch(report('schedule')));

  return {
    queues,
    flows,
    async close() {
      await Promise.allSettled(workers.map((w) => w.close()));
      await Promise.allSettled([flows.close(), ...Object.values(queues).map((q) => q.close())]);
      producing.disconnect();
      working.disconnect();
    },
  };
}

function ticking({ sequelize, announce, log }) {
  let n = 0;
  return async () => {
    const began = performance.now();
    await produce(sequelize);
    n += 1;
    announce.tick(n);
    log.info('tick', { durationMs: Number((performance.now() - began).toFixed(3)), n });
  };
}

// Simulated failures: some letters need a second attempt, some are never delivered.
async function deliver(job, { models }) {
  const { playerId, subject } = job.data;
  if (playerId % 50 === 0) throw new Error('nobody opened the door');
  if ((playerId + job.attemptsMade) % 4 === 0) throw new Error('the post rider was held up');
  if (!(await models.Player.findByPk(playerId))) throw new UnrecoverableError('no such recipient');
  await models.Mail.create({ playerId, subject });
}

async function fight(job, { sequelize, models, announce }) {
  const { attackerId, defenderId } = job.data;
  if (job.name === 'ambush' && (attackerId + defenderId) % 3 === 0) throw new Error('the ambush was discovered');
  const loot = await sequelize.transaction(async (transaction) => {
    const ids = [attackerId, defenderId];
    // Locked in a fixed order, independent of the attacker.
    const rows = await models.Resource.findAll({
      where: { playerId: ids, kind: 'food' }, order: ['playerId'], lock: true, transaction,
    });
    const stock = (id) => rows.find((row) => row.playerId === id);
    if (!stock(attackerId) || !stock(defenderId)) throw new UnrecoverableError('one side did not show up');
    const taken = Math.min(Number(stock(defenderId).amount), 25);
    await stock(attackerId).increment({ amount: taken }, { transaction });
    await stock(defenderId).decrement({ amount: taken }, { transaction });
    await models.Battle.create({ kind: job.name, attackerId, defenderId, loot: taken }, { transaction });
    return taken;
  });
  announce.battle({ kind: job.name, attackerId, defenderId, loot });
  return { loot };
}

async function season(job, { sequelize, models }) {
  if (job.name === 'score-guild') {
    const { guild } = job.data;
    const [[{ score }]] = await sequelize.query(
      `SELECT COALESCE(SUM(r.amount), 0) AS score
       FROM players p JOIN resources r ON r.player_id = p.id WHERE p.guild = :guild`,
      { replacements: { guild } },
    );
    await models.GuildScore.upsert({ guild, season: 0, score });
    return Number(score);
  }
  const scores = Object.values(await job.getChildrenValues());
  return { guilds: scores.length, total: scores.reduce((sum, score) => sum + score, 0) };
}

/** The end of a season: every guild is scored, then the season is closed. */
export function closeSeason(flows) {
  return flows.add({
    name: 'close-season',
    queueName: 'season',
    opts: { removeOnComplete: true },
    children: GUILDS.map((guild) => ({
      name: 'score-guild', queueName: 'season', data: { guild }, opts: { removeOnComplete: true },
    })),
  });
}
