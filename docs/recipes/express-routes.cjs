// Prints the routes of an Express 4 or 5 app as [gateway] routes. See docs/routes.md.
const { Router } = require('express');

// Express does not keep the path under which a router is used, so it is noted here.
const routers = Router.prototype?.use ? Router.prototype : Router;
const { use } = routers;
routers.use = function (path, ...handlers) {
  const before = this.stack.length;
  const used = use.call(this, path, ...handlers);
  const isPath = ![path].flat(Infinity).some((given) => typeof given === 'function');
  for (const layer of this.stack.slice(before)) layer.mount = isPath ? path : '';
  return used;
};

// A segment that is more than a name is a parameter; the last one may match several segments.
const segment = (text, place, all) =>
  text.startsWith('*') && place === all.length - 1 ? '*' : /[:*(){}?+]/.test(text) ? `:${/\w+/.exec(text)?.[0] ?? 'any'}` : text;

// `/a/:b?` and `/a{/:b}` match with and without the optional part.
const optional = /\{([^{}]*)\}|\/:(\w+)(?:\([^)]*\))?\?/;
const variants = (path) => {
  const [whole, group, name] = optional.exec(path) ?? [];
  if (whole === undefined) return [path];
  return [path.replace(whole, ''), path.replace(whole, group ?? `/:${name}`)].flatMap(variants);
};

const paths = (prefix, given) =>
  [given].flat().filter((path) => typeof path === 'string').map((path) => `${prefix}/${path}`.replace(/\/+/g, '/'));

const walk = (router, prefix) => router.stack.flatMap((layer) => {
  if (!layer.route) return layer.handle.stack ? paths(prefix, layer.mount).flatMap((path) => walk(layer.handle, path)) : [];
  const given = Object.keys(layer.route.methods);
  // `all` registers every method that Node supports.
  const methods = given.length > 9 || given.includes('_all') ? [''] : given.map((method) => `${method.toUpperCase()} `);
  return paths(prefix, layer.route.path).flatMap(variants).flatMap((path) => {
    const pattern = path.replace(/(?<=.)\/$/, '').split('/').map(segment).join('/');
    return methods.map((method) => method + pattern);
  });
});

module.exports = function printRoutes(app) {
  const router = app._router ?? app.router;
  // Of patterns that match the same requests, Express calls the first.
  const byShape = new Map(walk(router, '').reverse().map((pattern) => [pattern.replace(/:\w+/g, ':'), pattern]));
  console.log(`[gateway]\nroutes = ${JSON.stringify([...byShape.values()].reverse(), null, 2)}`);
};
