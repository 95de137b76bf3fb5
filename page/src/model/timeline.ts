/** The segments of a state timeline. */

import type { Theme } from "./colors.ts";
import type { Panel } from "./dashboard.ts";
import { display } from "./field.ts";
import type { Frame } from "./frame.ts";
import { type Line, linesOf } from "./plot.ts";
import { shown } from "./units.ts";

export interface Segment {
  /** In seconds; the end is the beginning of the next segment. */
  from: number;
  to: number;
  text: string;
  color: string;
}

export interface Track {
  name: string;
  line: Line;
  segments: Segment[];
}

/** Consecutive equal values are one segment, unless `mergeValues` is off. A missing value ends a segment. */
export const tracksOf = (panel: Panel, frame: Frame, theme: Theme): Track[] => {
  const step = (frame.times[1] ?? 0) - (frame.times[0] ?? 0);
  const merges = panel.options.mergeValues !== false;
  return linesOf(panel, frame, theme).map((line) => {
    const segments: Segment[] = [];
    frame.times.forEach((time, at) => {
      const value = line.values[at] ?? null;
      if (value === null) return;
      const { color = "gray", ...text } = display(line.field, value, theme);
      const last = segments.at(-1);
      if (merges && last !== undefined && last.to === time && last.text === shown(text) && last.color === color) last.to = time + step;
      else segments.push({ from: time, to: time + step, text: shown(text), color });
    });
    return { name: line.name, line, segments };
  });
};
