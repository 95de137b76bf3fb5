import { expect, test } from "vitest";

import { chosenFilters, chosenOf, type Filter, filtered, filterOf, filtersIn, writtenFilter } from "../src/model/filters.ts";

const MAIL: Filter[] = [{ key: "queue", operator: "=", value: "mail" }];

test("each selector of a query gets the filters, and nothing else does", () => {
  const q = 'queue="mail"';
  for (const [query, expected] of [
    ["up", `up{${q}}`],
    ["up{}", `up{${q}}`],
    ['up{job="a", x!="1"}', `up{${q},job="a", x!="1"}`],
    ['{__name__="up"}', `{${q},__name__="up"}`],
    ['{"http.requests", job="a"}', `{${q},"http.requests", job="a"}`],
    ["rate(a[5m])", `rate(a{${q}}[5m])`],
    ["sum by (queue) (rate(a_total[5m]))", `sum by (queue) (rate(a_total{${q}}[5m]))`],
    ["sum(a) by (queue)", `sum(a{${q}}) by (queue)`],
    ["sum without(b) (a) / on(queue, c) group_left(d) e", `sum without(b) (a{${q}}) / on(queue, c) group_left(d) e{${q}}`],
    ["a / ignoring(b) group_right c", `a{${q}} / ignoring(b) group_right c{${q}}`],
    ["a offset 5m @ end() > bool 1e3", `a{${q}} offset 5m @ end() > bool 1e3`],
    ["max_over_time(rate(a[1m])[1h:30s]) unless b == Inf", `max_over_time(rate(a{${q}}[1m])[1h:30s]) unless b{${q}} == Inf`],
    ['label_replace(up, "a", "$1", "b", "(.*)") # up', `label_replace(up{${q}}, "a", "$1", "b", "(.*)") # up`],
    ["histogram_quantile(0.95, sum by (le) (rate(a_bucket[$__rate_interval])))", `histogram_quantile(0.95, sum by (le) (rate(a_bucket{${q}}[$__rate_interval])))`],
    ["increase(a[$__range] offset $__interval)", `increase(a{${q}}[$__range] offset $__interval)`],
    ["rate(a[5m] smoothed)", `rate(a{${q}}[5m] smoothed)`],
    ["job:rate:sum5m AND time() > 1", `job:rate:sum5m{${q}} AND time() > 1`],
    ["topk(3, a) + count_values(\"v\", b)", `topk(3, a{${q}}) + count_values("v", b{${q}})`],
    ["vector(1)", "vector(1)"],
    ["1 + 0x1F", "1 + 0x1F"],
  ] as const) {
    expect(filtered(query, MAIL), query).toBe(expected);
    expect(filtered(query, [])).toBe(query);
  }
});

test("a value cannot leave its string, and an unusual label is quoted", () => {
  expect(filtered("up", [{ key: "a", operator: "!~", value: 'x"} or vector(1)\\\n' }])).toBe('up{a!~"x\\"} or vector(1)\\\\\\n"}');
  expect(filtered("up", [{ key: "a.b", operator: "=", value: "1" }, ...MAIL])).toBe('up{"a.b"="1",queue="mail"}');
});

test("filters are kept in the address as Grafana writes them", () => {
  const filter = { key: "queue", operator: "=~", value: "a|b" };
  expect(writtenFilter(filter)).toBe("queue|=~|a__gfp__b");
  expect(filterOf("queue|=~|a__gfp__b")).toEqual(filter);
  for (const wrong of ["", "queue", "queue|=", "|=|a", "queue|<|3", "a|=|b|c"]) expect(filterOf(wrong), wrong).toBeUndefined();
});

test("the filters of a dashboard apply until others are chosen", () => {
  const templating = { list: [{ type: "adhoc", name: "filters", label: "Filter", filters: [{ key: "queue", operator: "=", value: "a|b" }] }, { type: "query" }] };
  const { filters, unsupported } = filtersIn(templating);
  expect(unsupported).toEqual([]);
  if (filters === undefined) throw new Error("one variable");
  expect(filters).toMatchObject({ name: "filters", label: "Filter", isHidden: false });
  expect(chosenFilters(filters, undefined)).toEqual([{ key: "queue", operator: "=", value: "a|b" }]);
  expect(chosenFilters(filters, ["queue|=|mail", "broken"])).toEqual(MAIL);
  // None is another choice than the initial ones.
  expect(chosenOf(filters, [])).toEqual([""]);
  expect(chosenFilters(filters, [""])).toEqual([]);
  expect(chosenFilters(undefined, ["queue|=|mail"])).toEqual([]);
  expect(chosenFilters(filters, Array(90).fill("queue|=|mail"))).toHaveLength(20);
});

test("a filter with another operator, and a second variable, are named", () => {
  const list = [{ type: "adhoc", name: "a", filters: [{ key: "size", operator: "<", value: "3" }] }, { type: "adhoc", name: "b" }];
  expect(filtersIn({ list }).unsupported).toEqual(["filter size < 3", "variable b: a second one of filters"]);
  expect(filtersIn({ list: [] })).toEqual({ filters: undefined, unsupported: [] });
});
