import { expect, test } from "vitest";

import { format, isUnit, ticks } from "../src/model/units.ts";

test("values are written with about three digits in the unit that fits", () => {
  const cases: [number | null, string, number | undefined, string][] = [
    [0.0123, "s", undefined, "12.3 ms"],
    [1, "s", undefined, "1 s"],
    [0.99999, "s", undefined, "1 s"],
    [90, "s", undefined, "1.5 min"],
    [86_400 * 2, "s", 1, "2.0 d"],
    [0, "s", undefined, "0 s"],
    [-0.5, "s", undefined, "-500 ms"],
    [1500, "ms", undefined, "1.5 s"],
    [512, "short", undefined, "512"],
    [12_345, "short", undefined, "12.3 K"],
    [0.25, "short", undefined, "0.25"],
    [3.14159, "reqps", undefined, "3.14 req/s"],
    [2500, "ops", undefined, "2.5 K ops/s"],
    [12, "cpm", undefined, "12 c/m"],
    [0.256, "percentunit", undefined, "25.6%"],
    [25.6, "percent", 0, "26%"],
    [1536, "bytes", undefined, "1.5 KiB"],
    [1500, "decbytes", undefined, "1.5 kB"],
    [7, "none", undefined, "7"],
    [null, "s", undefined, "–"],
    [Number.NaN, "s", undefined, "–"],
    [Infinity, "s", undefined, "∞"],
  ];
  for (const [value, unit, decimals, expected] of cases) expect(format(value, unit, decimals), `${value} ${unit}`).toBe(expected);
});

test("the labels of an axis have the decimals that tell them apart", () => {
  expect(ticks([0, 0.25, 0.5], 0.25, "short")).toEqual(["0", "0.25", "0.50"]);
  expect(ticks([0, 0.005, 0.01], 0.005, "s")).toEqual(["0 s", "5 ms", "10 ms"]);
  expect(ticks([1000, 1500], 500, "short")).toEqual(["1.0 K", "1.5 K"]);
  expect(ticks([0.5, 1], 0.5, "percentunit")).toEqual(["50%", "100%"]);
});

test("every unit of our dashboards is known", () => {
  for (const unit of ["s", "short", "ops", "reqps", "percentunit", "bytes", "cpm", "none"]) expect(isUnit(unit)).toBe(true);
  expect(isUnit("dateTimeAsIso")).toBe(false);
});
