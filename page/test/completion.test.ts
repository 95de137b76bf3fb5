import { expect, test } from "vitest";

import { applied, type Context, contextAt, matching, type Option, pointed, tokens } from "../src/model/completion.ts";
import { historyOf, remembered } from "../src/model/history.ts";

/** The context at the `|` of a text. */
const at = (marked: string): Context | undefined => {
  const position = marked.indexOf("|");
  return contextAt(marked.replace("|", ""), position);
};

test("metrics and functions can stand where an expression can", () => {
  for (const [marked, typed] of [
    ["|", ""],
    ["ra|", "ra"],
    ["rate(ht|", "ht"],
    ["sum(rate(http|[5m]))", "http"],
    ["a + |", ""],
    ["a / on(queue) group_left b|", "b"],
    ["sum by (queue) (|", ""],
    ['rate(http{route="a"}[5m]) > v|', "v"],
    ["# comment\nqu|", "qu"],
  ] as const) {
    expect(at(marked), marked).toMatchObject({ kind: "expression", typed });
  }
});

test("labels are those of the metric", () => {
  expect(at("http{|")).toMatchObject({ kind: "label", selector: "http", typed: "", isGrouping: false });
  expect(at("http{ro|}")).toMatchObject({ kind: "label", selector: "http", typed: "ro" });
  expect(at('http{code="500", ro|}')).toMatchObject({ kind: "label", selector: 'http{code="500"}', typed: "ro" });
  expect(at('sum(rate(a{x="1"}[5m])) / sum(rate(b{|')).toMatchObject({ kind: "label", selector: "b" });
  expect(at("{|")).toMatchObject({ kind: "label", selector: "" });
  // After the name an operator is due.
  expect(at("http{route |")).toBeUndefined();
  expect(at('http{route="a" |')).toBeUndefined();
});

test("labels of a grouping are those of the metric that it groups", () => {
  expect(at("sum by (|) (rate(http_total[5m]))")).toMatchObject({ kind: "label", selector: "http_total", isGrouping: true });
  expect(at("sum(rate(http_total[5m])) by (queue, |)")).toMatchObject({ kind: "label", selector: "http_total", isGrouping: true });
  expect(at('max without (na|) (up{job="x"})')).toMatchObject({ kind: "label", selector: "up", typed: "na" });
  expect(at("sum by (|")).toMatchObject({ kind: "label", selector: "" });
  expect(at("a * on (|) b")).toMatchObject({ kind: "label", selector: "b" });
});

test("values are those of the label under the other matchers", () => {
  expect(at('http{route="|')).toMatchObject({ kind: "value", label: "route", selector: "http", typed: "", quote: '"', isClosed: false });
  expect(at('http{code=~"5..", route="/a|"}')).toMatchObject({ kind: "value", label: "route", selector: 'http{code=~"5.."}', typed: "/a", isClosed: true });
  expect(at(`http{route="/a|", code='500'}`)).toMatchObject({ selector: "http{code='500'}", typed: "/a" });
  expect(at("http{route='x|")).toMatchObject({ kind: "value", quote: "'", typed: "x" });
  expect(at('label_replace(up, "a|", "b", "c", "d")')).toBeUndefined();
  expect(at('http{route="a"|}')).toBeUndefined();
});

test("durations stand in brackets and after offset; nothing in comments and numbers", () => {
  expect(at("rate(http[|")).toMatchObject({ kind: "duration", typed: "" });
  expect(at("rate(http[5|m])")).toMatchObject({ kind: "duration", start: 10, end: 12 });
  expect(at("http offset |")).toMatchObject({ kind: "duration" });
  expect(at("1 + # se|")).toBeUndefined();
  expect(at("http > 50|")).toBeUndefined();
});

test("a cursor in any place of any text has a context or none, and never fails", () => {
  const texts = ['sum by (a) (rate(b{c=~"d|e", f!="g\\""}[5m:30s] offset 1h)) > bool 3 # end', "}])({[", "'\\", '"', "`a\nb", "{a='", "é{ü=\"ß"];
  for (const text of texts) {
    for (let position = 0; position <= text.length; position++) {
      const context = contextAt(text, position);
      if (context === undefined) continue;
      expect(context.start, text).toBeLessThanOrEqual(position);
      expect(context.end, text).toBeGreaterThanOrEqual(position);
      expect(context.typed).toBe(text.slice(context.start, position));
    }
    // Between tokens there are only blanks.
    const ends = [0, ...tokens(text).map(({ end }) => end)];
    tokens(text).forEach(({ start }, at) => expect(text.slice(ends[at], start).trim()).toBe(""));
    expect(text.slice(ends.at(-1)).trim()).toBe("");
  }
});

const option = (text: string, kind: Option["kind"] = "metric"): Option => ({ text, kind, detail: "" });

test("the best names come first", () => {
  const names = ["http_request_duration_seconds_bucket", "my_http", "queue_jobs_total", "xhttp", "http_requests_errors_total"].map((name) => option(name));
  expect(matching(names, "http", 10).map(({ text }) => text)).toEqual(["http_request_duration_seconds_bucket", "http_requests_errors_total", "my_http", "xhttp"]);
  expect(matching(names, "HTTP", 2)).toHaveLength(2);
  expect(matching(names, "jobs_queue", 10).map(({ text }) => text)).toEqual(["queue_jobs_total"]);
  // A complete name is not offered.
  expect(matching(names, "xhttp", 10)).toEqual([]);
  expect(matching(names, "nothing", 10)).toEqual([]);
});

/** The text after the option was taken at the `|`, with the cursor as `|`. */
const taken = (marked: string, option: Option): string => {
  const text = marked.replace("|", "");
  const context = contextAt(text, marked.indexOf("|"));
  if (context === undefined) throw new Error(`nothing can stand in ${marked}`);
  const edit = applied(text, context, option);
  return `${edit.text.slice(0, edit.cursor)}|${edit.text.slice(edit.cursor)}`;
};

test("an option replaces the word at the cursor", () => {
  expect(taken("ra|", option("rate", "function"))).toBe("rate(|)");
  expect(taken("ra|(up[5m])", option("rate", "function"))).toBe("rate|(up[5m])");
  expect(taken("sum(ht|tp)", option("http_total"))).toBe("sum(http_total|)");
  expect(taken("http{|", option("route", "label"))).toBe('http{route="|"');
  expect(taken('http{ro|="a"}', option("route", "label"))).toBe('http{route|="a"}');
  expect(taken("sum by (|) (up)", option("job", "label"))).toBe("sum by (job|) (up)");
  expect(taken('http{route="|"}', option("/a", "value"))).toBe('http{route="/a"|}');
  expect(taken('http{route="|', option("/a", "value"))).toBe('http{route="/a"|');
  expect(taken('http{route="old|"}', option('q"\\', "value"))).toBe('http{route="q\\"\\\\"|}');
  expect(taken("rate(up[|])", option("5m", "duration"))).toBe("rate(up[5m|])");
});

test("the message of an error points at a character", () => {
  expect(pointed('invalid parameter "query": 1:5: unexpected ")"', "sum()")).toEqual({ at: 4, reason: 'unexpected ")"' });
  expect(pointed("2:3: bad", "a +\n  b")).toEqual({ at: 6, reason: "bad" });
  expect(pointed("1:7: at the end", "sum(a,")).toEqual({ at: 6, reason: "at the end" });
  // Beyond the basic plane a character is two code units.
  expect(pointed('1:4: x', '"😀"!')).toEqual({ at: 4, reason: "x" });
  for (const message of ["query timed out", "3:1: another query", "1:99: beyond"]) expect(pointed(message, "up")).toBeUndefined();
});

test("the history keeps each query once, the newest first, and is bounded", () => {
  expect(remembered(["a", "b"], " b ")).toEqual(["b", "a"]);
  expect(remembered(["a"], "  ")).toEqual(["a"]);
  expect(remembered(["a"], "x".repeat(5_000))).toEqual(["a"]);
  const many = Array.from({ length: 80 }, (_, at) => `q${at}`).reduce<string[]>((history, query) => remembered(history, query), []);
  expect(many).toHaveLength(50);
  expect(many[0]).toBe("q79");
  for (const stored of [null, "{", "3", '{"a":1}']) expect(historyOf(stored)).toEqual([]);
  expect(historyOf('["a",3,"b"]')).toEqual(["a", "b"]);
});
