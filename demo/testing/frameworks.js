// A small app in one of several frameworks, which reports the requests that it received: the reference for what a proxy
// changes. All frameworks have the same routes.

import { createHash } from 'node:crypto';
import http from 'node:http';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { say, serve } from './lines.js';

const { values: args } = parseArgs({ options: { framework: { type: 'string', default: 'express' } } });

const LARGE = Buffer.alloc(1_000_000, 'vigie ');
const digest = async (stream) => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
};

/** Server-sent events on a response of Node. */
async function events(res) {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for (const n of [1, 2, 3]) {
    res.write(`id: ${n}\ndata: event ${n}\n\n`);
    await sleep(20);
  }
  res.end();
}

const FRAMEWORKS = {
  async express() {
    const { default: express } = await import('express');
    const app = express();
    app.get('/items/:id', (req, res) => res.json({ id: req.params.id, q: req.query.q ?? null }));
    app.post('/echo', express.json(), (req, res) => res.status(201).json(req.body));
    app.put('/upload', async (req, res) => res.json(await digest(req)));
    app.get('/large', (req, res) => res.type('application/octet-stream').send(LARGE));
    app.get('/events', (req, res) => events(res));
    return http.createServer(app);
  },

  async fastify() {
    const { default: fastify } = await import('fastify');
    const app = fastify();
    app.addContentTypeParser('application/octet-stream', (req, payload, done) => done(null, payload));
    app.get('/items/:id', (req) => ({ id: req.params.id, q: req.query.q ?? null }));
    app.post('/echo', (req, reply) => reply.code(201).send(req.body));
    app.put('/upload', (req) => digest(req.body));
    app.get('/large', (req, reply) => reply.type('application/octet-stream').send(LARGE));
    app.get('/events', (req, reply) => {
      reply.hijack();
      return events(reply.raw);
    });
    await app.ready();
    return app.server;
  },

  async koa() {
    const { default: Koa } = await import('koa');
    const app = new Koa();
    app.use(async (ctx) => {
      const { method, path } = ctx;
      const item = /^\/items\/([^/]+)$/.exec(path);
      if (method === 'GET' && item) ctx.body = { id: item[1], q: ctx.query.q ?? null };
      else if (method === 'POST' && path === '/echo') {
        const chunks = [];
        for await (const chunk of ctx.req) chunks.push(chunk);
        ctx.status = 201;
        ctx.body = JSON.parse(Buffer.concat(chunks));
      } else if (method === 'PUT' && path === '/upload') ctx.body = await digest(ctx.req);
      else if (path === '/large') ctx.body = LARGE;
      else if (path === '/events') {
        ctx.respond = false;
        await events(ctx.res);
      }
    });
    return http.createServer(app.callback());
  },

  async hono() {
    const { Hono } = await import('hono');
    const { stream, streamSSE } = await import('hono/streaming');
    const { createAdaptorServer } = await import('@hono/node-server');
    const app = new Hono();
    app.get('/items/:id', (c) => c.json({ id: c.req.param('id'), q: c.req.query('q') ?? null }));
    app.post('/echo', async (c) => c.json(await c.req.json(), 201));
    app.put('/upload', async (c) => c.json(await digest(c.req.raw.body)));
    app.get('/large', (c) => stream(c, (out) => out.write(LARGE)));
    app.get('/events', (c) => streamSSE(c, async (out) => {
      for (const n of [1, 2, 3]) {
        await out.writeSSE({ id: String(n), data: `event ${n}` });
        await sleep(20);
      }
    }));
    return createAdaptorServer({ fetch: app.fetch });
  },

  async nest() {
    await import('reflect-metadata');
    const { Controller, Get, HttpCode, Module, Param, Post, Put, Query, Body, Req, Res } = await import('@nestjs/common');
    const { NestFactory } = await import('@nestjs/core');
    class Routes {
      item(id, q) { return { id, q: q ?? null }; }
      echo(body) { return body; }
      upload(req) { return digest(req); }
      large(res) { res.type('application/octet-stream').send(LARGE); }
      events(res) { return events(res); }
    }
    // Decorators without TypeScript.
    const decorate = (name, route, ...parameters) => {
      parameters.forEach((parameter, index) => parameter(Routes.prototype, name, index));
      route(Routes.prototype, name, Object.getOwnPropertyDescriptor(Routes.prototype, name));
    };
    decorate('item', Get('/items/:id'), Param('id'), Query('q'));
    decorate('echo', Post('/echo'), Body());
    HttpCode(201)(Routes.prototype, 'echo', Object.getOwnPropertyDescriptor(Routes.prototype, 'echo'));
    decorate('upload', Put('/upload'), Req());
    decorate('large', Get('/large'), Res());
    decorate('events', Get('/events'), Res());
    Controller()(Routes);
    class App {}
    Module({ controllers: [Routes] })(App);
    const app = await NestFactory.create(App, { logger: false });
    await app.init();
    return app.getHttpServer();
  },
};

const server = await FRAMEWORKS[args.framework]();
const received = [];
server.prependListener('request', ({ method, url, httpVersion, rawHeaders }) => {
  received.push({ method, url, httpVersion, rawHeaders: [...rawHeaders] });
});

// Real-time protocols, beside the framework.
if (args.framework === 'express') {
  const { Server } = await import('socket.io');
  const { WebSocketServer } = await import('ws');
  const io = new Server(server, { allowEIO3: true });
  io.on('connection', (socket) => socket.on('echo', (value, answer) => answer(value)));
  const echo = new WebSocketServer({ noServer: true });
  echo.on('connection', (ws) => ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary })));
  const graphql = await import('graphql');
  const { useServer } = await import('graphql-ws/use/ws');
  const subscriptions = new WebSocketServer({ noServer: true });
  const schema = new graphql.GraphQLSchema({
    query: new graphql.GraphQLObjectType({
      name: 'Query', fields: { game: { type: graphql.GraphQLString, resolve: () => 'outpost' } },
    }),
    subscription: new graphql.GraphQLObjectType({
      name: 'Subscription',
      fields: {
        counted: {
          type: graphql.GraphQLInt,
          async* subscribe() {
            for (const counted of [1, 2, 3]) yield { counted };
          },
        },
      },
    }),
  });
  useServer({ schema }, subscriptions);
  server.on('upgrade', (req, socket, head) => {
    const target = { '/ws': echo, '/graphql': subscriptions }[new URL(req.url, 'http://app').pathname];
    if (!target) return; // Socket.IO has its own listener
    received.push({ method: req.method, url: req.url, httpVersion: req.httpVersion, rawHeaders: [...req.rawHeaders] });
    target.handleUpgrade(req, socket, head, (ws) => target.emit('connection', ws, req));
  });
}

server.listen(0, '127.0.0.1', () => say({ msg: 'listening', port: server.address().port }));
await serve({
  /** The requests since the last call. */
  received: () => ({ received: received.splice(0) }),
});
process.exit(0);
