// Prints the routes of an app with the recipe of docs/recipes. The argument is the package: express or express-v4.
const Module = require('node:module');

const name = process.argv[2];
const entry = require.resolve(name);
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return request === 'express' ? entry : resolve.call(this, request, ...rest);
};

const printRoutes = require('../../docs/recipes/express-routes.cjs');
const express = require('express');

const ok = (req, res) => res.end();
const app = express();
app.use(express.json(), [ok, ok]);
app.get('/', ok);
app.route('/users').get(ok).post(ok, ok);
app.all('/anything/:what', ok);
app.get(['/a', '/b/:c'], ok);
app.get('/img/:name.png', ok);
app.get('/near/:lat-:lng', ok);
app.get(/^\/regex\/(\d+)$/, ok);
app.get('/wins/:first', ok);
app.get('/wins/:second', ok);

const api = express.Router();
api.get('/', ok);
api.get('/items/:id', ok);
api.delete('/items/:id', ok);
const orders = express.Router({ mergeParams: true });
orders.put('/lines/:line', ok);
api.use('/orders/:order', ok, orders);
app.use(['/api', '/v1/api/'], api);
app.use(orders);
app.use([ok, orders]);

if (name === 'express') {
  app.get('/files/*path', ok);
  app.get('/opt{/:x}', ok);
} else {
  app.get('/files/*', ok);
  app.get('/opt/:x?', ok);
  app.get('/number/:n(\\d+)', ok);
}
printRoutes(app);
