// Messages for the corpus: their bytes and the events that follow from their construction. See `exchanges.js`.
'use strict';

const escapes = { '\r': '\\r', '\n': '\\n', '\t': '\\t', "'": "\\'", '"': '\\"', '\\': '\\\\' };
const escape = (text) =>
  text.replace(/[^ -~]|['"\\]/g, (c) => escapes[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

const names = new Set();
function write(name, steps, events) {
  if (names.has(name)) throw new Error(`two cases are named ${name}`);
  names.add(name);
  process.stdout.write(`${[`# ${name}`, ...steps, ...events].join('\n')}\n\n`);
}
const client = (bytes) => `> ${escape(bytes)}`;
const app = (bytes) => `< ${escape(bytes)}`;
const listed = (fields) => fields.map(([name, value]) => ` [${name}=${escape(value.trim())}]`).join('');
const lines = (fields) => fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');

// Bodies: the fields that declare them, their bytes, their events, and what the head declares.
const chunks = (...data) => data.map((d) => `${d.length.toString(16)}\r\n${d}\r\n`).join('');
function body(kind, n, side) {
  const data = (text) => (text ? [`body ${n} ${side} ${escape(text)}`] : []);
  const trailers = (fields) => [`trailers ${n} ${side}${listed(fields)}`];
  const chunked = [['Transfer-Encoding', 'chunked']];
  switch (kind) {
    case 'none': return { fields: [], bytes: '', events: [], declared: 'none' };
    case 'zero': return { fields: [['Content-Length', '0']], bytes: '', events: [], declared: 'none' };
    case 'length': return { fields: [['Content-Length', '5']], bytes: 'a\0\r\nb', events: data('a\0\r\nb'), declared: 'length:5' };
    case 'padded': return { fields: [['Content-Length', '  02 ']], bytes: 'ok', events: data('ok'), declared: 'length:2' };
    case 'chunk': return { fields: chunked, bytes: `${chunks('hello')}0\r\n\r\n`, events: [...data('hello'), ...trailers([])], declared: 'chunked' };
    case 'chunks': return { fields: [['transfer-encoding', 'Chunked']], bytes: `${chunks('0\r\n\r\n', 'x'.repeat(27))}000\r\n\r\n`, events: [...data(`0\r\n\r\n${'x'.repeat(27)}`), ...trailers([])], declared: 'chunked' };
    case 'empty': return { fields: chunked, bytes: '0\r\n\r\n', events: trailers([]), declared: 'chunked' };
    case 'trailers': {
      const fields = [['Digest', 'a=b'], ['X-Time', '']];
      return { fields: chunked, bytes: `${chunks('ok')}0\r\n${lines(fields)}\r\n`, events: [...data('ok'), ...trailers(fields)], declared: 'chunked' };
    }
    case 'until-close': return { fields: [], bytes: 'to the end', events: data('to the end'), declared: 'until-close' };
    default: throw new Error(kind);
  }
}

function request(n, method, kind, more = {}) {
  const { version = '1.1', target = `/${n}`, extra = [], flags = '' } = more;
  const { fields, bytes, events, declared } = body(kind, n, 'client');
  const all = [['Host', 'shop.test'], ...extra, ...fields];
  const last = more.last ? ' last' : '';
  const head = `${method} ${target} HTTP/${version}\r\n${lines(all)}\r\n`;
  return {
    head,
    body: bytes,
    bytes: head + bytes,
    begin: `request ${n} ${method} ${target} ${version} ${declared}${last}${flags}${listed(all)}`,
    events: [`request ${n} ${method} ${target} ${version} ${declared}${last}${flags}${listed(all)}`, ...events, `end ${n}`],
  };
}

function response(n, status, kind, more = {}) {
  const { version = '1.1', reason = ' Reason', extra = [], bodiless = false } = more;
  const { fields, bytes, events, declared } = body(kind, n, 'app');
  const all = [...extra, ...fields];
  const last = more.last ? ' last' : '';
  const interim = more.interim ? ' interim' : '';
  const head = `HTTP/${version} ${status}${reason}\r\n${lines(all)}\r\n`;
  const begin = `response ${n} ${status} ${version} ${bodiless ? 'none' : declared}${last}${interim}${listed(all)}`;
  const end = more.interim || kind === 'until-close' ? [] : [`completed ${n}`];
  const content = bodiless ? '' : bytes;
  return { head, body: content, bytes: head + content, begin, events: [begin, ...(bodiless ? [] : events), ...end] };
}

module.exports = { escape, write, client, app, listed, request, response };
