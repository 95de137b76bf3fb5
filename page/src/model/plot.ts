/** What a chart of time series draws, apart from pixels. */

import type { Panel } from "./dashboard.ts";
import { type Field, fieldOf, seriesColor } from "./field.ts";
import type { Frame } from "./frame.ts";
import { number, object, text, texts } from "./json.ts";
import { reduce } from "./reduce.ts";
import type { Theme } from "./colors.ts";

export interface Line {
  name: string;
  field: Field;
  color: string;
  values: (number | null)[];
}

/** The series of a frame with their configuration, in the order of the queries. */
export const linesOf = (panel: Panel, frame: Frame, theme: Theme): Line[] =>
  frame.series.map((series, at) => {
    const field = fieldOf(panel.fieldConfig, { name: series.name, type: "number", query: series.query, labels: series.labels });
    return { name: field.title, field, color: seriesColor(field, at, reduce("lastNotNull", series.values), theme), values: series.values };
  });

export interface Drawn {
  /** The values that are drawn, by line: cumulated if they are stacked, `null` for hidden lines. */
  values: (number | null)[][];
  /** Pairs of lines between which the area is filled, as indices: the upper and the lower one. */
  bands: [number, number][];
  isStacked: boolean;
}

export const isStacked = (line: Line): boolean => object(line.field.custom.stacking).mode === "normal";

/** Stacks the visible lines that are stacked, from the first one up. A line without a value adds nothing there. */
export const stacked = (lines: Line[], isVisible: (line: Line) => boolean): Drawn => {
  const count = lines[0]?.values.length ?? 0;
  const total = new Array<number>(count).fill(0);
  const bands: [number, number][] = [];
  let below: number | undefined;
  const taking = lines.filter((line) => isStacked(line) && isVisible(line));
  const isKnown = Array.from({ length: count }, (_, at) => taking.some((line) => line.values[at] !== null));
  const values = lines.map((line, index) => {
    if (!isVisible(line)) return line.values.map(() => null);
    if (!isStacked(line)) return line.values;
    if (below !== undefined) bands.push([index, below]);
    below = index;
    return line.values.map((value, at) => {
      total[at] = (total[at] ?? 0) + (value ?? 0);
      return isKnown[at] === true ? (total[at] ?? 0) : null;
    });
  });
  return { values, bands, isStacked: taking.length > 0 };
};

export interface Scale {
  min: number;
  max: number;
}

/** The range of the value axis: the data with some room, within the limits of the field. */
export const scale = (drawn: Drawn, field: Pick<Field, "min" | "max" | "unit">): Scale => {
  let [low, high] = [Infinity, -Infinity];
  for (const values of drawn.values) {
    for (const value of values) {
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) [low, high] = [0, 1];
  if (drawn.isStacked) low = Math.min(low, 0);
  const room = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
  const min = field.min ?? (low >= 0 && low - room < 0 ? 0 : low - room);
  const max = field.max ?? high + room;
  return max > min ? { min, max } : { min, max: min + 1 };
};

export interface LegendRow {
  index: number;
  name: string;
  color: string;
  values: (number | null)[];
}

export interface Legend {
  isShown: boolean;
  isTable: boolean;
  isRight: boolean;
  calculations: string[];
  rows: LegendRow[];
}

const SORTED_BY: Record<string, string> = { Max: "max", Min: "min", Mean: "mean", Last: "last", "Last *": "lastNotNull", Total: "sum", First: "first" };

export const legendOf = (panel: Panel, lines: Line[]): Legend => {
  const { calcs, displayMode, placement, showLegend, sortBy, sortDesc } = object(panel.options.legend);
  const calculations = texts(calcs);
  const rows = lines.map(({ name, color, values }, index) => ({ index, name, color, values: calculations.map((one) => reduce(one, values)) }));
  const by = SORTED_BY[text(sortBy) ?? ""];
  if (by !== undefined || text(sortBy) === "Name") {
    const key = new Map(rows.map((row) => [row, by === undefined ? null : reduce(by, lines[row.index]?.values ?? [])]));
    const sign = sortDesc === true ? -1 : 1;
    rows.sort((a, b) => {
      const [first, second] = [key.get(a) ?? null, key.get(b) ?? null];
      if (by === undefined) return sign * a.name.localeCompare(b.name, "en", { numeric: true });
      if (first === null || second === null) return Number(first === null) - Number(second === null);
      return sign * (first - second) || a.index - b.index;
    });
  }
  return { isShown: showLegend !== false && displayMode !== "hidden", isTable: displayMode === "table", isRight: placement === "right", calculations, rows };
};

export const opacity = (field: Field): number => Math.min(Math.max((number(field.custom.fillOpacity) ?? 0) / 100, 0), 1);

/** The places of at most `most` of the times, evenly from the last one back. */
export const rowsOf = (count: number, most: number): number[] => {
  const stride = Math.max(1, Math.ceil(count / most));
  return Array.from({ length: Math.ceil(count / stride) }, (_, row) => count - 1 - row * stride);
};
