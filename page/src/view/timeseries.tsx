/** A panel of time series. */

import { useMemo, useState } from "preact/hooks";
import uPlot from "uplot";

import { colorOf, faded, type Theme } from "../model/colors.ts";
import { clock } from "../model/clock.ts";
import type { Panel } from "../model/dashboard.ts";
import type { Field } from "../model/field.ts";
import type { Frame } from "../model/frame.ts";
import { number, object, text } from "../model/json.ts";
import { type Drawn, legendOf, type Line, linesOf, opacity, scale, stacked } from "../model/plot.ts";
import { steps } from "../model/thresholds.ts";
import type { Interval } from "../model/time.ts";
import { format } from "../model/units.ts";
import { drawMarks, line as drawLine, type Mark, timeAxis, valueAxis } from "./axes.ts";
import { useSurroundings } from "./context.ts";
import { Legend } from "./legend.tsx";
import { type Cursor, Plot } from "./plot.tsx";

interface Props {
  panel: Panel;
  frame: Frame;
  interval: Interval;
  marks: readonly Mark[];
  onZoom: (interval: Interval) => void;
}

const { linear, spline, stepped, bars } = uPlot.paths;
const none: uPlot.Series.PathBuilder = () => null;

const pathsOf = ({ custom }: Field): uPlot.Series.PathBuilder | undefined => {
  if (custom.drawStyle === "bars") return bars?.({ size: [0.8, 40] });
  if (custom.drawStyle === "points") return none;
  switch (custom.lineInterpolation) {
    case "smooth":
      return spline?.();
    case "stepAfter":
      return stepped?.({ align: 1 });
    case "stepBefore":
      return stepped?.({ align: -1 });
    default:
      return linear?.();
  }
};

const dashOf = (style: unknown): number[] | undefined => {
  const { fill, dash } = object(style);
  return fill === "dash" || fill === "dot" ? (Array.isArray(dash) ? dash.map((part) => number(part) ?? 1) : fill === "dot" ? [1, 4] : [10, 6]) : undefined;
};

const seriesOf = ({ field, color, name }: Line): uPlot.Series => {
  const { custom } = field;
  const fill = opacity(field);
  const isPoints = custom.drawStyle === "points";
  const dash = dashOf(custom.lineStyle);
  return {
    label: name,
    stroke: color,
    width: number(custom.lineWidth) ?? 1.5,
    fill: fill > 0 && !isPoints ? faded(color, fill) : undefined,
    paths: pathsOf(field),
    spanGaps: custom.spanNulls === true,
    ...(dash === undefined ? {} : { dash }),
    // A lone value between gaps is shown as a point.
    points: isPoints || custom.showPoints === "always" ? { show: true, size: number(custom.pointSize) ?? 5, fill: color } : { size: 4, fill: color, filter: lonely },
  } as uPlot.Series;
};

const lonely: uPlot.Series.Points.Filter = (plot, series, _show, gaps) => {
  const values = plot.data[series] ?? [];
  const found: number[] = [];
  for (let at = 0; at < values.length; at++) {
    if (values[at] != null && values[at - 1] == null && values[at + 1] == null) found.push(at);
  }
  void gaps;
  return found;
};

/** The lines of the thresholds that are within the scale. */
const drawThresholds = (plot: uPlot, field: Field, theme: Theme) => {
  const mode = text(object(field.custom.thresholdsStyle).mode) ?? "off";
  if (mode === "off") return;
  const { left, width, top, height } = plot.bbox;
  for (const { from, color } of steps(field)) {
    const y = plot.valToPos(from, "y", true);
    if (color === "transparent" || !Number.isFinite(from) || y < top || y > top + height) continue;
    drawLine(plot, colorOf(color, theme), mode === "dashed" ? [8, 6] : [], [left, y], [left + width, y], 1.5);
  }
};

interface Shown {
  lines: Line[];
  drawn: Drawn;
  marks: readonly Mark[];
  theme: Theme;
  language: string;
}

/** The first line's field stands for the axis, as all lines share one. */
const optionsOf = (shown: { current: Shown }): Omit<uPlot.Options, "width" | "height"> => {
  const { lines, drawn, language } = shown.current;
  const first = lines[0]?.field;
  return {
    padding: [8, 8, 0, 0],
    series: [{}, ...lines.map(seriesOf)],
    bands: drawn.bands.map(([upper, lower]) => ({ series: [upper + 1, lower + 1] as [number, number] })),
    axes: [timeAxis(language), valueAxis(first?.unit ?? "", first?.decimals)],
    scales: {
      y: {
        range: () => {
          const { lines, drawn } = shown.current;
          const field = lines[0]?.field;
          const { min, max } = scale(drawn, { min: field?.min, max: field?.max, unit: field?.unit ?? "" });
          return [min, max];
        },
      },
    },
    cursor: { points: { size: 6 }, y: false },
    hooks: {
      draw: [
        (plot) => {
          const { lines, marks, theme } = shown.current;
          if (lines[0] !== undefined) drawThresholds(plot, lines[0].field, theme);
          drawMarks(plot, marks, theme);
        },
      ],
    },
  };
};

/** The number of series in a tooltip; the others are counted. */
const MOST = 12;

export const TimeSeries = ({ panel, frame, interval, marks, onZoom }: Props) => {
  const { texts, language, theme } = useSurroundings();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const lines = useMemo(() => linesOf(panel, frame, theme), [panel, frame, theme]);
  const drawn = useMemo(() => stacked(lines, ({ name }) => !hidden.has(name)), [lines, hidden]);
  const data = useMemo((): uPlot.AlignedData => [frame.times, ...drawn.values], [frame, drawn]);
  const legend = legendOf(panel, lines);
  const shown = useMemo(() => ({ current: {} as Shown }), []);
  shown.current = { lines, drawn, marks, theme, language };
  const structure = JSON.stringify([theme, language, lines.map(({ name, color }) => [name, color]), drawn.bands, marks.map(({ time }) => time)]);
  const step = (frame.times[1] ?? 0) - (frame.times[0] ?? 0);

  const tooltip = ({ at }: Cursor) => {
    const time = frame.times[at] ?? 0;
    const rows = lines.flatMap((line) => {
      const value = line.values[at] ?? null;
      return hidden.has(line.name) || value === null ? [] : [{ line, value }];
    });
    const order = object(panel.options.tooltip).sort;
    if (order === "desc" || order === undefined) rows.sort((a, b) => b.value - a.value);
    if (order === "asc") rows.sort((a, b) => a.value - b.value);
    const near = marks.filter((mark) => Math.abs(mark.time - time) <= step);
    return (
      <>
        <div class="tooltip-time">{clock(time, interval.to, language)}</div>
        {near.map((mark) => (
          <div class="tooltip-mark">{mark.title}</div>
        ))}
        {rows.slice(0, MOST).map(({ line, value }) => (
          <div class="tooltip-row">
            <i class="swatch" style={{ background: line.color }} />
            <span class="tooltip-name">{line.name}</span>
            <b>{format(value, line.field.unit, line.field.decimals)}</b>
          </div>
        ))}
        {rows.length > MOST && <div class="quiet">{texts.more(rows.length - MOST)}</div>}
      </>
    );
  };

  return (
    <div class={legend.isRight ? "chart right" : "chart"}>
      <Plot
        label={texts.chart(panel.title, lines.length)}
        structure={structure}
        build={(size) => ({ ...optionsOf(shown), ...size })}
        data={data}
        interval={interval}
        onZoom={onZoom}
        tooltip={tooltip}
      />
      {legend.isShown && <Legend legend={legend} lines={lines} hidden={hidden} onChange={setHidden} />}
    </div>
  );
};
