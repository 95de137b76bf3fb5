// Prints the routes of a Fastify app as [gateway] routes, once it is ready. See docs/routes.md.

// A segment that is more than a name is a parameter; `*` matches the rest of the path.
const segment = (text) => (text !== '*' && /[:*()?]/.test(text) ? `:${/\w+/.exec(text)?.[0] ?? 'any'}` : text);

module.exports = function printRoutes(app) {
  const byShape = new Map();
  app.addHook('onRoute', ({ method, url }) => {
    const optional = /\/:\w+\?$/;
    const urls = optional.test(url) ? [url.replace(optional, '') || '/', url] : [url];
    for (const pattern of urls.flatMap((path) => [method].flat().map((name) => `${name} ${path.split('/').map(segment).join('/')}`))) {
      if (!pattern.startsWith('HEAD ')) byShape.set(pattern.replace(/:\w+/g, ':').replace(/(?<=\w)\/$/, ''), pattern);
    }
  });
  app.addHook('onReady', async () => console.log(`[gateway]\nroutes = ${JSON.stringify([...byShape.values()], null, 2)}`));
};
