// The requests of players, with their frequency. `template` is the route as defined in the app.

const MARKET = ['wood', 'stone', 'iron', 'food'];
const GUILDS = ['red-foxes', 'iron-guard', 'night-owls', 'salt-traders', 'free-hands'];
const SCANNED = ['/wp-login.php', '/.env', '/admin.php', '/api/v9/users', '/cgi-bin/luci', '/players/7/secrets'];

const player = (r) => r.int(1, 500);
const json = (value) => ({ type: 'application/json', body: JSON.stringify(value) });

/** `abort` is the share of requests that the client aborts: while it waits, reads or sends. */
export const ROUTES = [
  { weight: 4, template: 'GET /', path: () => '/' },
  { weight: 6, template: 'GET /players', path: (r) => `/players?limit=${r.int(5, 50)}` },
  { weight: 1, template: 'POST /players', path: () => '/players',
    payload: (r) => json({ name: `newcomer-${r.int(1, 1e6)}`, guild: r.pick(GUILDS) }) },
  { weight: 20, template: 'GET /players/:id', path: (r) => `/players/${player(r)}` },
  { weight: 1, template: 'GET /players/:id', path: (r) => `/players/${r.int(900_000, 999_999)}` },
  { weight: 1, template: 'GET /players/:id', path: () => '/players/nobody' },
  { weight: 2, template: 'HEAD /players/:id', path: (r) => `/players/${player(r)}` },
  { weight: 3, template: 'PATCH /players/:id', path: (r) => `/players/${player(r)}`,
    payload: (r) => json({ name: `renamed-${r.int(1, 1e6)}` }) },
  { weight: 12, template: 'GET /players/:id/buildings', path: (r) => `/players/${player(r)}/buildings` },
  { weight: 4, template: 'POST /players/:id/buildings/:building/upgrade',
    path: (r) => {
      const id = player(r);
      return `/players/${id}/buildings/${id * 4 - r.int(0, 3)}/upgrade`;
    } },
  { weight: 10, template: 'GET /players/:id/resources', path: (r) => `/players/${player(r)}/resources` },
  { weight: 1.5, template: 'PUT /players/:id/avatar', path: (r) => `/players/${player(r)}/avatar`, abort: 0.15,
    payload: (r) => ({ type: 'image/png', body: Buffer.alloc(r.int(2_000, 300_000), r.int(0, 255)) }) },
  { weight: 6, template: 'POST /players/:id/attack', path: (r) => `/players/${r.int(1, 250)}/attack`,
    payload: (r) => json({ target: r.int(251, 500), kind: r.pick(['raid', 'raid', 'ambush', 'duel', 'siege']) }) },
  { weight: 3, template: 'POST /players/:id/mail', path: (r) => `/players/${player(r)}/mail`,
    payload: (r) => json({ subject: 'tribute', urgent: r.next() < 0.2 }) },
  { weight: 4, template: 'GET /guilds/:guild/members', path: (r) => `/guilds/${r.pick(GUILDS)}/members` },
  { weight: 2, template: 'GET /guilds/:guild/members/:member',
    path: (r) => `/guilds/${r.pick(GUILDS)}/members/${player(r)}` },
  { weight: 1, template: 'GET /guilds/:guild/score', path: (r) => `/guilds/${r.pick(GUILDS)}/score` },
  { weight: 6, template: 'GET /orders', path: () => '/orders' },
  { weight: 5, template: 'POST /orders', path: () => '/orders',
    payload: (r) => json({
      playerId: player(r), resource: r.pick(MARKET), side: r.pick(['buy', 'sell']),
      quantity: r.int(1, 99), price: r.int(1, 40),
    }) },
  { weight: 3, template: 'GET /orders/:id', path: (r) => `/orders/${r.int(1, 400)}` },
  { weight: 1, template: 'DELETE /orders/:id', path: (r) => `/orders/${r.int(1, 400)}` },
  { weight: 8, template: 'GET /market/:resource', path: (r) => `/market/${r.pick(MARKET)}` },
  { weight: 0.5, template: 'GET /market/:resource', path: () => '/market/moonlight' },
  { weight: 3, template: 'GET /market/:resource/stock', path: (r) => `/market/${r.pick(MARKET)}/stock` },
  { weight: 1, template: 'POST /market/:resource/crash', path: (r) => `/market/${r.pick(MARKET)}/crash` },
  { weight: 0.6, template: 'GET /reports/season', path: () => '/reports/season', abort: 0.3 },
  { weight: 0.3, template: 'POST /reports/season', path: () => '/reports/season' },
  { weight: 1, template: 'GET /reports/export', path: () => '/reports/export', abort: 0.3 },
  { weight: 0.05, template: 'POST /admin/block', path: () => '/admin/block?ms=150' },
  { weight: 2, template: 'GET <unmatched>', path: (r) => r.pick(SCANNED) },
  { weight: 0.5, template: 'DELETE <unmatched>', path: () => '/players' },
];
