// Writes the corpus `exchanges.txt`: `node exchanges.js > exchanges.txt`.
//
// Each case is built from what it means (messages, bodies, ends of the connection), so that its expected events follow
// from its construction, not from a parser. A case is a block of lines, ended by an empty one:
//
//   # its name
//   > bytes of the client     < bytes of the app, escaped as in Rust
//   >~ 5    <~ 5              5 bytes of the client or the app are missing
//   >.      <.                the direction ends (FIN)
//   >!      <!                the connection fails (RST, an error)
//   abandon, resume           the functions of `Connection`
//   and then the expected events, one a line
'use strict';

const { escape, write, client, app, listed, request, response } = require('./messages.js');

const close = [['Connection', 'close']];
const keep = [['Connection', 'keep-alive']];

// Every kind of request with every kind of response, twice on one connection.
const requests = [
  ['GET', 'none'], ['DELETE', 'zero'], ['POST', 'length'], ['PUT', 'padded'], ['POST', 'chunk'], ['PATCH', 'chunks'],
  ['POST', 'empty'], ['POST', 'trailers'], ['GET', 'length'], ['PROPFIND', 'none'],
];
const responses = [
  [200, 'length'], [201, 'zero'], [200, 'padded'], [200, 'chunk'], [500, 'chunks'], [404, 'empty'], [200, 'trailers'],
  [204, 'none', { bodiless: true }], [304, 'length', { bodiless: true }], [304, 'chunk', { bodiless: true }],
  [200, 'length', { reason: '' }], [200, 'length', { reason: ' ' }], [599, 'zero', { reason: ' caf\xe9 "x"' }],
];
for (const [method, kind] of requests) {
  for (const [status, answer, more = {}] of responses) {
    const pair = (n) => [request(n, method, kind), response(n, status, answer, more)];
    const [first, second] = [pair(0), pair(1)];
    const detail = more.reason === undefined ? '' : `, reason ${JSON.stringify(more.reason)}`;
    write(`${method} with body ${kind}, ${status} with body ${answer}${detail}, twice`,
      [client(first[0].bytes), app(first[1].bytes), client(second[0].bytes), app(second[1].bytes)],
      [...first, ...second].flatMap((message) => message.events));
  }
}

// HEAD: the response declares a body that does not follow.
for (const kind of ['none', 'length', 'chunk', 'zero']) {
  const [head, get] = [request(0, 'HEAD', 'none'), request(1, 'GET', 'none')];
  const [none, ok] = [response(0, 200, kind, { bodiless: true }), response(1, 200, 'length')];
  write(`HEAD answered with body ${kind}, then GET`, [client(head.bytes + get.bytes), app(none.bytes + ok.bytes)],
    [...head.events, ...get.events, ...none.events, ...ok.events]);
}

// Pipelines: requests of all kinds, responses of all kinds.
for (let length = 2; length <= 16; length += 1) {
  const sent = Array.from({ length }, (_, n) => request(n, ...requests[n % requests.length]));
  const answers = Array.from({ length }, (_, n) => response(n, ...responses[n % responses.length]));
  write(`a pipeline of ${length}`, [client(sent.map((r) => r.bytes).join('')), app(answers.map((r) => r.bytes).join(''))],
    [...sent, ...answers].flatMap((message) => message.events));
}

// Interim responses.
for (const status of [100, 102, 103]) {
  for (const kind of ['length', 'chunk', 'none']) {
    for (const final of [200, 417]) {
      const sent = request(0, 'POST', kind, { extra: [['Expect', '100-continue']], flags: ' continue' });
      const interim = response(0, status, 'none', { interim: true, extra: [['Link', '</a>']] });
      const answer = response(0, final, 'length');
      write(`POST with body ${kind} expects 100, answered ${status} and ${final}`,
        [client(sent.head), app(interim.bytes), client(sent.body), app(answer.bytes)].filter((step) => step !== '> '),
        kind === 'none'
          ? [...sent.events, ...interim.events, ...answer.events]
          : [sent.begin, ...interim.events, ...sent.events.slice(1), ...answer.events]);
    }
  }
}
for (const refused of [401, 413, 417]) {
  const sent = request(0, 'POST', 'length', { extra: [['Expect', '100-continue']], flags: ' continue' });
  const answer = response(0, refused, 'length');
  const next = request(1, 'GET', 'none');
  write(`the response ${refused} precedes the body`, [client(sent.head), app(answer.bytes), client(sent.body + next.bytes)],
    [sent.begin, ...answer.events, ...sent.events.slice(1), ...next.events]);
}

// Versions and persistence.
const after = 'GET /late HTTP/1.1\r\n\r\n';
for (const [version, extra, last] of [
  ['1.1', [], false], ['1.1', close, true], ['1.1', keep, false], ['1.0', [], true], ['1.0', keep, false], ['1.0', close, true],
  ['1.1', [['Connection', 'a, CLOSE ,b']], true], ['1.0', [['connection', 'x,Keep-Alive']], false],
  ['1.1', [['Connection', 'keep-alive'], ['Connection', 'close']], true], ['1.1', [['Proxy-Connection', 'close']], true],
  ['1.1', [['Connection', 'closed']], false], ['1.1', [['Connection', '"close"']], false],
]) {
  const label = `HTTP/${version}${listed(extra)}`;
  const sent = request(0, 'GET', 'none', { version, extra, last });
  const ok = response(0, 200, 'length');
  write(`request ${label}, then a further one`, [client(sent.bytes), app(ok.bytes), client(after)],
    [...sent.events, ...ok.events, ...(last ? ['refused client AfterLast'] : ['request 1 GET /late 1.1 none', 'end 1'])]);
  const plain = request(0, 'GET', 'none');
  const other = request(1, 'GET', 'none');
  const answer = response(0, 200, 'length', { version, extra, last });
  write(`response ${label}, then a further one`, [client(plain.bytes + other.bytes), app(answer.bytes + 'HTTP/1.1 204 N\r\n\r\n')],
    [...plain.events, ...other.events, ...answer.events,
      ...(last ? ['refused app AfterLast'] : ['response 1 204 1.1 none', 'completed 1'])]);
  const whole = response(0, 200, 'until-close', { version, extra, last });
  write(`response ${label} until the connection is closed`, [client(plain.bytes), app(whole.bytes), app('!'), '<.'],
    [...plain.events, ...whole.events.map((event) => (event.startsWith('body') ? `${event}!` : event)), 'outcome 0 Completed']);
  write(`response ${label} until the connection is reset`, [client(plain.bytes), app(whole.bytes), '<!'],
    [...plain.events, ...whole.events, 'outcome 0 AppLeft']);
}

// Changes of the protocol.
for (const kind of ['none', 'length', 'chunk']) {
  const upgrade = [['Connection', 'keep-alive, Upgrade'], ['Upgrade', 'websocket']];
  const ask = request(0, 'GET', kind, { extra: upgrade, flags: ' switch' });
  const yes = response(0, 101, 'none', { extra: upgrade });
  const no = response(0, 426, 'length', { extra: [['Upgrade', 'h2c']] });
  const next = request(1, 'GET', 'none');
  write(`an upgrade with body ${kind} is accepted`, [client(`${ask.bytes}\x81\x05`), app(`${yes.bytes}\x81\x00`), client('rest\r\n')],
    [...ask.events, yes.begin, 'tunnel 0 client \\x81\\x05', 'switched 0', 'tunnel 0 app \\x81\\x00', 'tunnel 0 client rest\\r\\n']);
  write(`an upgrade with body ${kind} is refused`, [client(ask.bytes + next.bytes), app(no.bytes)],
    [...ask.events, no.begin, ...next.events, ...no.events.slice(1)]);
  const early = response(0, 103, 'none', { interim: true });
  write(`an interim response does not decide an upgrade with body ${kind}`, [client(ask.bytes + next.bytes), app(early.bytes)],
    [...ask.events, ...early.events]);
  const plain = request(0, 'GET', kind);
  write(`a switch that a request with body ${kind} did not ask for`, [client(plain.bytes), app(yes.bytes)],
    [...plain.events, 'refused app UnrequestedSwitch']);
}
for (const status of [200, 204, 299, 407, 502]) {
  const ask = request(0, 'CONNECT', 'none', { target: 'db.test:5432', flags: ' switch' });
  const accepted = status < 300;
  const answer = response(0, status, 'length', { bodiless: accepted });
  write(`CONNECT is answered ${status}`, [client(`${ask.bytes}GET /1 HTTP/1.1\r\n\r\n`), app(`${answer.head}a\0\r\nb`)],
    accepted
      ? [...ask.events, answer.begin, 'tunnel 0 client GET /1 HTTP/1.1\\r\\n\\r\\n', 'switched 0', 'tunnel 0 app a\\x00\\r\\nb']
      : [...ask.events, answer.begin, 'request 1 GET /1 1.1 none', 'end 1', ...answer.events.slice(1)]);
}

// The connection ends after every part of an exchange.
for (const kind of ['length', 'chunk', 'trailers']) {
  const sent = request(0, 'POST', kind);
  const answer = response(0, 200, kind);
  const parts = [
    ['in the request head', [client(sent.head.slice(0, 20))], [], false],
    ['after the request head', [client(sent.head)], [sent.begin], true],
    ['after the request', [client(sent.bytes)], sent.events, true],
    ['in the response head', [client(sent.bytes), app(answer.head.slice(0, 20))], sent.events, true],
    ['after the response head', [client(sent.bytes), app(answer.head)], [...sent.events, answer.begin], true],
    ['after the response', [client(sent.bytes), app(answer.bytes)], [...sent.events, ...answer.events], false],
  ];
  for (const [when, steps, events, open] of parts) {
    const outcome = (name) => (open ? [`outcome 0 ${name}`] : []);
    write(`the client resets ${when}, body ${kind}`, [...steps, '>!'], [...events, ...outcome('ClientLeft')]);
    write(`the app closes ${when}, body ${kind}`, [...steps, '<.'], [...events, ...outcome('AppLeft')]);
    write(`the app resets ${when}, body ${kind}`, [...steps, '<!'], [...events, ...outcome('AppLeft')]);
    write(`both close ${when}, body ${kind}`, [...steps, '>.', '<.'], [...events, ...outcome('ClientLeft')]);
    write(`given up ${when}, body ${kind}`, [...steps, 'abandon'], [...events, ...outcome('Unknown')]);
  }
}

{
  const sent = request(0, 'POST', 'length');
  const answer = response(0, 200, 'length');
  write('the client finishes after its request', [client(sent.bytes), '>.', app(answer.bytes), '<.'], [...sent.events, ...answer.events]);
  write('the client finishes in its request, and the app responds', [client(sent.head), '>.', app(answer.bytes), '<.'], [sent.begin, ...answer.events]);
  write('the client finishes in its request, and the response is cut', [client(sent.head), '>.', app(answer.head), '<.'],
    [sent.begin, answer.begin, 'outcome 0 ClientLeft']);
  const idle = request(1, 'GET', 'none');
  write('an idle connection ends without an outcome', [client(sent.bytes), app(answer.bytes), '<.', client(idle.bytes), '>.'], [...sent.events, ...answer.events]);
}

// Missing bytes: harmless within data of known length, else nothing is made of what follows.
{
  const get = request(0, 'GET', 'none');
  const big = response(0, 200, 'none', { extra: [['Content-Length', '1000']] });
  const begin = big.begin.replace(' none ', ' length:1000 ');
  const next = request(1, 'GET', 'none');
  const ok = response(1, 200, 'length');
  write('a gap in a body of known length', [client(get.bytes), app(`${big.head}aa`), '<~ 996', app('zz'), client(next.bytes), app(ok.bytes)],
    [...get.events, begin, 'body 0 app aa', 'gap 0 app 996', 'body 0 app zz', 'completed 0', ...next.events, ...ok.events]);
  write('a gap to the end of a body', [client(get.bytes), app(big.head), '<~ 1000', client(next.bytes), app(ok.bytes)],
    [...get.events, begin, 'gap 0 app 1000', 'completed 0', ...next.events, ...ok.events]);
  write('a gap beyond the end of a body', [client(get.bytes), app(big.head), '<~ 1001', client(next.bytes), app(ok.bytes), '<.'],
    [...get.events, begin, 'gap 0 app 1000', 'completed 0', 'lost app', ...next.events, 'outcome 1 Unknown']);
  write('a gap in a response head', [client(get.bytes), app(big.head.slice(0, 9)), '<~ 4', app(ok.bytes), 'abandon'],
    [...get.events, 'lost app', 'outcome 0 Unknown']);
  write('a gap in a request head', [client('GET /0 HT'), '>~ 9', client(get.bytes), app(ok.bytes), '<.'], ['lost client']);
  write('a gap before a request, and a response to it', [client(get.bytes), '>~ 9', app(response(0, 200, 'length').bytes + ok.bytes)],
    [...get.events, 'lost client', ...response(0, 200, 'length').events]);
  const chunk = response(0, 200, 'chunk');
  write('a gap within a chunk', [client(get.bytes), app(`${chunk.head}5\r\nh`), '<~ 3', app('o\r\n0\r\n\r\n')],
    [...get.events, chunk.begin, 'body 0 app h', 'gap 0 app 3', 'body 0 app o', 'trailers 0 app', 'completed 0']);
  write('a gap over the end of a chunk, ended by the caller', [client(get.bytes), app(`${chunk.head}5\r\nh`), '<~ 7', app('o\r\n0\r\n\r\n'), 'resume', client(next.bytes), app(ok.bytes)],
    [...get.events, chunk.begin, 'body 0 app h', 'lost app', 'outcome 0 Completed', ...next.events, ...ok.events]);
  const close = response(0, 200, 'until-close');
  write('a gap in a body until the close', [client(get.bytes), app(`${close.head}aa`), '<~ 50', app('zz'), '<.'],
    [...get.events, close.begin, 'body 0 app aa', 'gap 0 app 50', 'body 0 app zz', 'outcome 0 Completed']);
  const put = request(0, 'PUT', 'none', { extra: [['Content-Length', '10']] });
  write('a gap in a request body', [client(`${put.head}aa`), '>~ 8', client(next.bytes), app(response(0, 200, 'length').bytes)],
    [put.begin.replace(' none ', ' length:10 '), 'body 0 client aa', 'gap 0 client 8', 'end 0', ...next.events, ...response(0, 200, 'length').events]);
  write('a gap between messages', [client(get.bytes), app(response(0, 200, 'length').bytes), '<~ 1', client(next.bytes), app(ok.bytes), 'abandon', 'resume', client(next.bytes), app(ok.bytes)],
    [...get.events, ...response(0, 200, 'length').events, 'lost app', ...next.events, 'outcome 1 Unknown',
      ...request(2, 'GET', 'none', { target: '/1' }).events, ...response(2, 200, 'length').events]);
  const ask = request(0, 'GET', 'none', { extra: [['Connection', 'upgrade'], ['Upgrade', 'x']], flags: ' switch' });
  const yes = response(0, 101, 'none');
  write('a gap in another protocol', [client(ask.bytes), app(yes.bytes), '>~ 3', client('c'), '<~ 4', app('a')],
    [...ask.events, yes.begin, 'switched 0', 'gap 0 client 3', 'tunnel 0 client c', 'gap 0 app 4', 'tunnel 0 app a']);
}

// What is not HTTP/1, or is ambiguous.
const GET = 'GET / HTTP/1.1\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const began = ['request 0 POST / 1.1 chunked [Host=a] [Transfer-Encoding=chunked]'];
const bad = {
  StartLine: ['\x16\x03\x01\x02\x00', '\x00', ' GET / HTTP/1.1\r\n', 'GET\r\n', 'GET\t/ HTTP/1.1\r\n', 'G(T / HTTP/1.1\r\n', ':/ HTTP/1.1\r\n', '(', '\x80'],
  Version: ['GET /\r\n', 'GET / HTTP/0.9\r\n', 'GET / HTTP/2.0\r\n', 'GET / HTTP/1.2\r\n', 'GET / HTTP/1.10\r\n', 'GET / HTTP/1\r\n', 'GET / http/1.1\r\n',
    'PRI * HTTP/2.0\r\n', 'PRI * HTTP/1.1\r\n', 'GET / RTSP/1.0\r\n', 'GET / HTTP/1.1 \r\n', 'GET /HTTP/1.1\r\n', 'GET / ICY/1.1\r\n', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n'],
  Target: ['GET  HTTP/1.1\r\n', 'GET  / HTTP/1.1\r\n', 'GET /  HTTP/1.1\r\n', 'GET /a b HTTP/1.1\r\n', 'GET /a\tb HTTP/1.1\r\n', 'GET /\xe9 HTTP/1.1\r\n', 'GET /\x00 HTTP/1.1\r\n',
    'GET /\x7f HTTP/1.1\r\n', 'GET a HTTP/1.1\r\n', 'GET *a HTTP/1.1\r\n', 'GET 1://a HTTP/1.1\r\n', 'GET http:/a HTTP/1.1\r\n', 'GET /a\rb HTTP/1.1\r\n', 'GET ?a HTTP/1.1\r\n'],
  LineEnd: ['\n', '\r\n\n', 'GET / HTTP/1.1\n', `${GET}A: b\n`, `${GET}A: b\r\n\n`, `${GET}\n`],
  Control: [`${GET}A: b\0c\r\n`, `${GET}A: b\rc\r\n`, `${GET}A: \x7f\r\n`, `${GET}A: b\r\r\n`, `${GET}A: \x0b\r\n`, `${GET}A:\x08\r\n`],
  Fold: [`${GET}A: b\r\n c\r\n`, `${GET}A: b\r\n\tc\r\n`, `${GET} A: b\r\n`, `${GET}A: b\r\n \r\n`],
  FieldName: [`${GET}A : b\r\n`, `${GET}A\t: b\r\n`, `${GET}: b\r\n`, `${GET}A\r\n`, `${GET}A b: c\r\n`, `${GET}A\0: b\r\n`, `${GET}\xe9: b\r\n`, `${GET}A[: b\r\n`, `${GET}A\rB: c\r\n`,
    `${POST}Content-Length : 5\r\n`, `${POST}Transfer-Encoding : chunked\r\n`, `${POST}Content Length: 5\r\n`],
  Length: ['', '-1', '+1', '0x5', '5,5', '5, 5', '1e1', '5;', ' \t5', '5\t', '\u00b2', '5 5', '18446744073709551616', '"5"', '5.0', '5_0'].map((v) => `${POST}Content-Length: ${v}\r\n`),
  SeveralLengths: [`${POST}Content-Length: 5\r\nContent-Length: 5\r\n`, `${POST}Content-Length: 5\r\nContent-Length: 6\r\n`, `${POST}Content-Length: 0\r\nX: y\r\ncontent-length: 0\r\n`],
  LengthAndEncoding: [`${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, `${POST}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n`],
  Encoding: ['', 'chunk', 'xchunked', 'chunkedx', 'chunked, chunked', 'gzip', 'gzip, chunked', 'chunked, gzip', 'identity', 'chunked, identity', 'identity, chunked', '\tchunked', 'chunked\t', ',chunked', 'chunked,', 'chunked;q=1', '"chunked"', "'chunked'", 'chu nked', 'c\xe9hunked', 'trailers'].map((v) => `${POST}Transfer-Encoding: ${v}\r\n`)
    .concat([`${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n`, `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n`]),
  EncodingInHttp10: ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n'],
  SeveralHosts: [`${POST}Host: a\r\n`, `${POST}host: b\r\n`, `${POST}X: y\r\nHOST:\r\n`],
  Host: ['a/x', 'a b', 'a@b', 'a?b', 'a#b', 'a\\b', 'a"b', 'caf\xe9', '<a>', 'a/'].map((v) => `${GET}Host: ${v}\r\n`),
};
for (const [fault, inputs] of Object.entries(bad)) {
  for (const input of inputs) write(`refused ${fault}: ${escape(input)}`, [client(input)], [`refused client ${fault}`]);
}
const badChunks = {
  ChunkSize: ['\r\n', ' 5\r\n', '5 \r\n', '5\n', '5\rX', '+5', '-1', 'g', '0x5', '5\t', '\x00', 'fffffffffffffffff', '0000000000000000', '5\r\r'],
  ChunkExtension: ['5;a\r\n', '5;\n', '0;\r\n', '5;a="b\r\n"\r\n'],
  ChunkEnd: ['2\r\nokX', '2\r\nok\n', '2\r\nok\r\r', '2\r\nok0\r\n', '2\r\nok\rX'],
  LineEnd: ['0\r\n\n', '0\r\nA: b\n'],
  Trailer: ['0\r\nContent-Length: 5\r\n', '0\r\nTransfer-Encoding: chunked\r\n', '0\r\nHost: b\r\n', '0\r\nConnection: close\r\n', '0\r\nUPGRADE: x\r\n', '0\r\nTe: x\r\n'],
  FieldName: ['0\r\nA : b\r\n', '0\r\nGET / HTTP/1.1\r\n', '0\r\n: b\r\n'],
  Fold: ['0\r\nA: b\r\n c\r\n', '0\r\n A: b\r\n'],
  Control: ['0\r\nA: \0\r\n', '0\r\nA: b\rc\r\n'],
};
for (const [fault, inputs] of Object.entries(badChunks)) {
  for (const input of inputs) {
    const data = input.startsWith('2') ? ['body 0 client ok'] : [];
    write(`refused ${fault} in a chunked body: ${escape(input)}`, [client(CHUNKED + input)], [...began, ...data, `refused client ${fault}`]);
  }
}

// Responses.
const got = request(0, 'GET', 'none');
const badResponses = {
  StartLine: ['ICY 200 OK\r\n', 'HTTP/1.1\r\n', 'HTTP/1.1 20\r\n', 'HTTP/1.1 2000\r\n', 'HTTP/1.1 099 X\r\n', 'HTTP/1.1 abc X\r\n', 'HTTP/1.1  200 OK\r\n', 'HTTP/1.1 200OK\r\n', '\r\n', '<html>', 'xHTTP/1.1 200 OK\r\n', 'HTTP/1.1 200\tOK\r\n'],
  Version: ['HTTP/2.0 200 OK\r\n', 'HTTP/0.9 200 OK\r\n', 'HTTP/1.2 200 OK\r\n', 'HTTP/x.y 200 OK\r\n'],
  Control: ['HTTP/1.1 200 a\0b\r\n', 'HTTP/1.1 200 OK\r\nA: \r\r\n'],
  LineEnd: ['HTTP/1.1 200 OK\n', 'HTTP/1.1 200 OK\r\n\n', '\n'],
  Length: ['HTTP/1.1 200 OK\r\nContent-Length: x\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n'],
  SeveralLengths: ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n'],
  Encoding: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
  LengthAndEncoding: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n'],
  EncodingInHttp10: ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  Fold: ['HTTP/1.1 200 OK\r\nA: b\r\n c\r\n'],
  FieldName: ['HTTP/1.1 200 OK\r\nA : b\r\n'],
};
for (const [fault, inputs] of Object.entries(badResponses)) {
  for (const input of inputs) {
    write(`refused ${fault} in a response: ${escape(input)}`, [client(got.bytes), app(input), '<.'],
      [...got.events, `refused app ${fault}`, 'outcome 0 Unknown']);
  }
}
write('a response without a request', [app('HTTP/1.1 408 Request Timeout\r\n\r\n')], ['refused app Unrequested']);
write('a response before the end of its request head', [client('GET / HT'), app('HTTP/1.1 400 Bad Request\r\n\r\n')], ['refused app Unrequested']);
{
  const both = response(0, 200, 'chunk', { extra: [['Content-Length', '300']] });
  write('a response with both framing fields is chunked', [client(got.bytes), app(both.bytes)], [...got.events, ...both.events]);
  const gzip = response(0, 200, 'until-close', { extra: [['Transfer-Encoding', 'gzip']] });
  write('a response in another coding ends with the connection', [client(got.bytes), app(gzip.bytes), '<.'], [...got.events, ...gzip.events, 'outcome 0 Completed']);
  const coded = response(0, 200, 'chunk');
  const field = ['Transfer-Encoding', 'gzip, chunked'];
  write('a response in a coding and chunks', [client(got.bytes), app(coded.bytes.replace('chunked', field[1]))],
    [...got.events, coded.begin.replace('=chunked', `=${field[1]}`), ...coded.events.slice(1)]);
  const first = request(0, 'GET', 'none');
  const rest = request(1, 'GET', 'none');
  const closing = response(0, 200, 'length', { extra: close, last: true });
  write('a request after an announced close has no answer', [client(first.bytes + rest.bytes), app(closing.bytes), '<.'],
    [...first.events, ...rest.events, ...closing.events, 'outcome 1 Unknown']);
}
write('empty lines before requests', [client(`\r\n\r\n${got.bytes}\r\n${request(1, 'GET', 'none').bytes}`)], [...got.events, ...request(1, 'GET', 'none').events]);
for (const target of ['/', '/a?b=c', '*', 'http://shop.test/a', '/find?filter={"name":["ann"]}|^`<>\\', '//a//../b/.', '/a#b', 'https://shop.test', '/%00%zz', "/'"]) {
  const sent = request(0, 'OPTIONS', 'none', { target });
  write(`the target ${target}`, [client(sent.bytes)], sent.events);
}
for (const value of ['', ' ', 'a\tb', 'caf\xe9', '"a, b"', ':', '\x80\xff', 'a:b: c']) {
  const sent = request(0, 'GET', 'none', { extra: [['X-Value', value]] });
  write(`the value ${escape(value)}`, [client(sent.bytes)], sent.events);
}
for (const host of ['', 'a', 'a:80', '[::1]:80', '10.0.0.1', 'xn--a.test.', 'a_b', '%41', "a'b"]) {
  const bytes = `${GET}Host: ${host}\r\n\r\n`;
  write(`the host ${host}`, [client(bytes)], [`request 0 GET / 1.1 none [Host=${escape(host)}]`, 'end 0']);
}
