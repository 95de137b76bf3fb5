import { expect, test } from "vitest";

import { dashboardOf } from "../src/model/dashboard.ts";
import { dashboardOfQueue, detailsOf, queuePage, queueIn, quoted } from "../src/model/queue.ts";
import { queuesOf } from "../src/model/queues.ts";
import { hashOf, viewOf } from "../src/model/view.ts";
import { insert } from "../src/model/variables.ts";

const NONE = { failures: [], p95: [], trend: [] };
const TITLES = { jobs: "a", runs: "b", completed: "c", failed: "d" };
const HOSTILE = ["a/b?c#d&e=f", "../..", "%2F", "<img src=x onerror=hostile=1>", '"} or vector(1) or {x="', "$__rate_interval ${queue}", "\\", "a\nb", "\u202e", "__proto__", ""];

test("an answer is read, with unknown values", () => {
  const failure = { prefix: "bull", name: "welcome", reason: "no mailbox <email>", stack: "at f (/app/a.js:1:2)", count: 3, first: "2026-11-30T06:20:00Z", last: "2026-11-30T06:21:07.5Z" };
  const details = detailsOf(
    { queue: "mail", waiting: 12, delayed: null, paused: true, workers: 2, error: null, link: "https://bull.example.org/queue/mail", redacted: true, failures: [failure], forgotten: 4 },
    { ...NONE, failures: [{ labels: { queue: "mail" }, samples: [[1, 2.5]] }] },
  );
  expect(details.queue.figures).toEqual({ waiting: 12, active: null, delayed: null, failures: 2.5, oldest: null, workers: 2, p95: null });
  expect(details.queue.isPaused).toBe(true);
  expect(details.link).toEqual({ address: "https://bull.example.org/queue/mail", host: "bull.example.org" });
  expect(details.failures).toEqual([{ name: "welcome", reason: failure.reason, stack: failure.stack, count: 3, first: 1796019600, last: 1796019667.5 }]);
  expect([details.isRedacted, details.forgotten, details.error]).toEqual([true, 4, undefined]);
});

test("unknown failures are not an empty list, and prefixes are named only if there are several", () => {
  expect(detailsOf({ queue: "a", failures: null }, NONE).failures).toBeUndefined();
  expect(detailsOf({ queue: "a", failures: [] }, NONE).failures).toEqual([]);
  const names = (failures: object[]) => detailsOf({ failures }, NONE).failures?.map(({ name }) => name);
  expect(names([{ prefix: "bull", name: "a" }, { prefix: "bull", name: "b" }])).toEqual(["a", "b"]);
  expect(names([{ prefix: "bull", name: "a" }, { prefix: "shop", database: 3, name: "b" }])).toEqual(["bull:a", "3/shop:b"]);
});

test("only links to pages are shown", () => {
  for (const link of ["javascript:alert(1)", "data:text/html,x", "https://", "//example.org/a", 7, null]) {
    expect(detailsOf({ link }, NONE).link, String(link)).toBeUndefined();
  }
});

test("a queue of any name has an address", () => {
  for (const name of HOSTILE) {
    const hash = hashOf({ page: queuePage(name), range: { from: "now-1h", to: "now" }, refresh: undefined, selection: {}, query: "", isTable: false });
    const view = viewOf(hash);
    expect(queueIn(view.page), hash).toBe(name);
    expect(view.range).toEqual({ from: "now-1h", to: "now" });
  }
  expect(queueIn("queues")).toBeUndefined();
  expect(queuesOf(JSON.parse('{"queues":{"__proto__":{"waiting":1}}}'), NONE).map(({ name }) => name)).toEqual(["__proto__"]);
});

test("the charts can be drawn, and a name stays within its quotes", () => {
  const { sections, unsupported } = dashboardOf(dashboardOfQueue(TITLES));
  const panels = sections.flatMap(({ panels }) => panels);
  expect(panels.map(({ title }) => title)).toEqual(["a", "b", "c", "d"]);
  expect([...unsupported, ...panels.flatMap(({ unsupported }) => unsupported)]).toEqual([]);
  for (const name of HOSTILE) {
    const queue = { values: [quoted(name)], verbatim: undefined, isSet: false };
    for (const { targets } of panels) {
      const expr = insert(targets[0]?.expr ?? "", { queue, __rate_interval: "1m" });
      const found = /queue=("(?:[^"\\\n]|\\.)*")[,}]/.exec(expr);
      expect(JSON.parse(found?.[1] ?? "null"), expr).toBe(name);
    }
  }
});
