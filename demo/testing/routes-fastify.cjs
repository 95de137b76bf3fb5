// Prints the routes of an app with the recipe of docs/recipes.
const printRoutes = require('../../docs/recipes/fastify-routes.cjs');
const app = require('fastify')();

printRoutes(app);
const ok = async () => 'ok';
app.get('/', ok);
app.post('/users/:id', ok);
app.route({ method: ['PUT', 'PATCH'], url: '/users/:id', handler: ok });
app.get('/opt/:x?', ok);
app.get('/number/:n(^\\d+$)', ok);
app.get('/img/:name.png', ok);
app.get('/near/:lat-:lng', ok);
app.get('/static/*', ok);
app.register(async (api) => {
  api.get('/', ok);
  api.get('/items/:id', ok);
  api.delete('/items/:id', ok);
}, { prefix: '/api' });
app.ready();
