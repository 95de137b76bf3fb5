/** The axes and the other parts that charts have in common. */

import type uPlot from "uplot";

import { colorOf, type Theme } from "../model/colors.ts";
import { ticks } from "../model/units.ts";

/** A mark at a time. */
export interface Mark {
  time: number;
  title: string;
  color: string;
}

const style = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const FONT = "11px system-ui, sans-serif";

const time = (language: string, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language, { hour12: false, ...options });

const widthOf = ({ ctx }: uPlot, text: string): number => {
  ctx.save();
  ctx.font = FONT;
  const { width } = ctx.measureText(text);
  ctx.restore();
  return width;
};

/** Pixels by which a label of the time axis may exceed the plotting area: to the left are the labels of the values. */
const [LEFT, RIGHT] = [6, 8];

const fits = (plot: uPlot, time: number, label: string): boolean => {
  const area = plot.bbox.width / devicePixelRatio;
  const [at, half] = [plot.valToPos(time, "x"), widthOf(plot, label) / 2];
  return area === 0 || (at - half >= -LEFT && at + half <= area + RIGHT);
};

/** The time axis: hours and minutes; seconds and days where the distance of the labels needs them. */
export const timeAxis = (language: string): uPlot.Axis => {
  const seconds = time(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const minutes = time(language, { hour: "2-digit", minute: "2-digit" });
  const days = time(language, { day: "numeric", month: "short" });
  return {
    stroke: style("--quiet"),
    font: FONT,
    size: 20,
    gap: 4,
    space: 56,
    grid: { stroke: style("--grid"), width: 1 },
    ticks: { show: false },
    values: (plot, splits, __, ___, increment) =>
      splits.map((split) => {
        const date = new Date(split * 1000);
        const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
        const label = (isMidnight ? days : increment < 60 ? seconds : minutes).format(date);
        return fits(plot, split, label) ? label : "";
      }),
  };
};

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000];
const decades = (from: number, to: number, base: number, factors: number[]) => {
  const found: number[] = [];
  for (let power = from; power <= to; power++) for (const factor of factors) found.push(factor * base ** power);
  return found;
};

/** The distances of labels that give round numbers in the unit. */
const incrementsOf = (unit: string): number[] | undefined => {
  if (["bytes", "bits"].includes(unit)) return decades(0, 5, 1024, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
  const seconds: Record<string, number> = { s: 1, ms: 1000, m: 1 / 60, h: 1 / 3600 };
  const factor = seconds[unit];
  if (factor === undefined) return undefined;
  return [...decades(-9, -1, 10, [1, 2, 5]), ...TIME_STEPS, ...decades(6, 9, 10, [1, 2, 5])].map((step) => step * factor);
};

export const valueAxis = (unit: string, decimals: number | undefined): uPlot.Axis => {
  const increments = incrementsOf(unit);
  return {
    stroke: style("--quiet"),
    font: FONT,
    gap: 6,
    space: 28,
    grid: { stroke: style("--grid"), width: 1 },
    ticks: { show: false },
    ...(increments === undefined ? {} : { incrs: increments }),
    values: (_, splits, __, ___, increment) => ticks(splits, increment, unit, decimals),
    size: (plot, values) => {
      const longest = (values ?? []).reduce((a, b) => (b.length > a.length ? b : a), "");
      return Math.ceil(widthOf(plot, longest)) + 14;
    },
  };
};

/** Draws a line over the plotting area, in pixels of the canvas. */
export const line = (plot: uPlot, color: string, dash: number[], from: [number, number], to: [number, number], width = 1) => {
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = width * ratio;
  ctx.setLineDash(dash.map((part) => part * ratio));
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
  ctx.restore();
};

export const drawMarks = (plot: uPlot, marks: readonly Mark[], theme: Theme) => {
  const { top, height, left, width } = plot.bbox;
  for (const { time, color } of marks) {
    const x = plot.valToPos(time, "x", true);
    if (x >= left && x <= left + width) line(plot, colorOf(color, theme), [3, 3], [x, top], [x, top + height]);
  }
};
