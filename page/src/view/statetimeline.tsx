/** A panel of states over time: a track for each series, with a segment for each state. */

import { useMemo } from "preact/hooks";
import uPlot from "uplot";

import { colorOf, faded, onColor, type Theme } from "../model/colors.ts";
import { clock } from "../model/clock.ts";
import type { Panel } from "../model/dashboard.ts";
import { display } from "../model/field.ts";
import type { Frame } from "../model/frame.ts";
import { number } from "../model/json.ts";
import type { Interval } from "../model/time.ts";
import { type Track, tracksOf } from "../model/timeline.ts";
import { shown as written } from "../model/units.ts";
import { drawMarks, type Mark, timeAxis } from "./axes.ts";
import { useSurroundings } from "./context.ts";
import { type Cursor, Plot } from "./plot.tsx";

interface Props {
  panel: Panel;
  frame: Frame;
  interval: Interval;
  marks: readonly Mark[];
  onZoom: (interval: Interval) => void;
}

interface Shown {
  tracks: Track[];
  panel: Panel;
  marks: readonly Mark[];
  theme: Theme;
}

const FONT = 11;

const drawTracks = (plot: uPlot, { tracks, panel, theme }: Shown) => {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const height = bbox.height / Math.max(tracks.length, 1);
  const part = Math.min(Math.max(number(panel.options.rowHeight) ?? 0.9, 0.1), 1);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${FONT * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  tracks.forEach(({ segments, line }, row) => {
    const top = bbox.top + row * height + ((1 - part) * height) / 2;
    const fill = (number(line.field.custom.fillOpacity) ?? 70) / 100;
    for (const { from, to, text, color } of segments) {
      const left = Math.max(plot.valToPos(from, "x", true), bbox.left);
      const right = Math.min(plot.valToPos(to, "x", true), bbox.left + bbox.width);
      if (right <= left) continue;
      ctx.fillStyle = faded(color, fill);
      ctx.fillRect(left, top, right - left, height * part);
      const room = right - left - 12 * ratio;
      if (panel.options.showValue !== "never" && height * part >= FONT * ratio && ctx.measureText(text).width < room) {
        ctx.fillStyle = fill >= 0.6 ? onColor(color) : colorOf("text", theme);
        ctx.fillText(text, left + 6 * ratio, top + (height * part) / 2);
      }
    }
  });
  ctx.restore();
};

export const StateTimeline = ({ panel, frame, interval, marks, onZoom }: Props) => {
  const { texts, language, theme } = useSurroundings();
  const tracks = useMemo(() => tracksOf(panel, frame, theme), [panel, frame, theme]);
  const data = useMemo((): uPlot.AlignedData => [frame.times, frame.times.map(() => null)], [frame]);
  const shown = useMemo(() => ({ current: {} as Shown }), []);
  shown.current = { tracks, panel, marks, theme };
  const structure = JSON.stringify([theme, language, tracks.map(({ name }) => name)]);
  const build = (size: { width: number; height: number }): uPlot.Options => {
    const axis = timeAxis(language);
    const count = tracks.length;
    return {
      ...size,
      padding: [4, 8, 0, 0],
      series: [{}, { paths: () => null, points: { show: false } }],
      scales: { y: { range: () => [0, Math.max(shown.current.tracks.length, 1)] } },
      axes: [
        axis,
        {
          ...(axis.stroke === undefined ? {} : { stroke: axis.stroke }),
          font: `${FONT}px system-ui, sans-serif`,
          grid: { show: false },
          ticks: { show: false },
          gap: 6,
          splits: () => Array.from({ length: count }, (_, at) => at + 0.5),
          values: () => shown.current.tracks.map(({ name }) => name).reverse(),
          size: (plot, values) => {
            plot.ctx.font = `${FONT}px system-ui, sans-serif`;
            const widths = (values ?? []).map((value) => plot.ctx.measureText(value).width);
            return Math.ceil(Math.min(Math.max(0, ...widths), size.width / 3)) + 14;
          },
        },
      ],
      cursor: { points: { show: false }, y: false },
      hooks: {
        draw: [
          (plot) => {
            drawTracks(plot, shown.current);
            drawMarks(plot, shown.current.marks, shown.current.theme);
          },
        ],
      },
    };
  };
  const tooltip = ({ at }: Cursor) => (
    <>
      <div class="tooltip-time">{clock(frame.times[at] ?? 0, interval.to, language)}</div>
      {tracks.map(({ name, line }) => {
        const value = line.values[at] ?? null;
        const { color, ...text } = display(line.field, value, theme);
        return (
          <div class="tooltip-row">
            <i class="swatch" style={{ background: value === null ? "transparent" : color }} />
            <span class="tooltip-name">{name}</span>
            <b>{written(text)}</b>
          </div>
        );
      })}
    </>
  );
  return (
    <div class="chart">
      <Plot label={texts.chart(panel.title, tracks.length)} structure={structure} build={build} data={data} interval={interval} onZoom={onZoom} tooltip={tooltip} />
    </div>
  );
};
