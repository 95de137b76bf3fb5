/** A chart: uPlot, with the cursor that all charts share, zoom by dragging, and the keyboard. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";

import { type Size, useSize } from "../io/hooks.ts";
import type { Interval } from "../model/time.ts";

export interface Cursor {
  /** The index of the time. */
  at: number;
  left: number;
  top: number;
}

interface Props {
  label: string;
  /** The chart is built again when it changes; otherwise it only gets new data. */
  structure: string;
  build: (size: Size) => uPlot.Options;
  data: uPlot.AlignedData;
  interval: Interval;
  onZoom: (interval: Interval) => void;
  /** What is shown beside the cursor. Its text is announced when the keyboard moved the cursor. */
  tooltip: (cursor: Cursor) => ComponentChildren;
}

/** Only the position of the cursor is shared: dragging zooms one chart, from which the range of all follows. */
const SHARED = "vigie";
const sync = (): uPlot.Cursor.Sync => ({ key: SHARED, scales: ["x", null], setSeries: false, filters: { pub: isMove, sub: isMove } });
const isMove = (type: string) => type === "mousemove";

/** The time at the crosshair of a chart, in seconds. */
const pointedAt = (plot: uPlot): number | undefined => {
  const { left = -1 } = plot.cursor;
  return left >= 0 ? plot.posToVal(left, "x") : undefined;
};

/** Shows the crosshair at a time. */
const point = (plot: uPlot, time: number) => {
  const { min, max } = plot.scales.x ?? {};
  if (min == null || max == null || time < min || time > max) return;
  plot.setCursor({ left: plot.valToPos(time, "x"), top: plot.over.clientHeight / 3 }, true);
};

/** Milliseconds after the last step until the values are announced. */
const PAUSE = 250;

/** Pixels that make a drag a zoom. */
const DRAG = 6;

export const Plot = ({ label, structure, build, data, interval, onZoom, tooltip }: Props) => {
  const [box, size] = useSize<HTMLDivElement>();
  const [cursor, setCursor] = useState<Cursor | undefined>(undefined);
  const chart = useRef<uPlot | undefined>(undefined);
  // The hooks of uPlot outlive a rendering.
  const latest = useRef({ interval, onZoom });
  latest.current = { interval, onZoom };
  const isOwn = useRef(false);
  const isByKey = useRef(false);
  /** The time at the crosshair when the chart was last taken down, to be built again. */
  const before = useRef<number | undefined>(undefined);
  const beside = useRef<HTMLDivElement>(null);
  const [announced, announce] = useState("");

  useEffect(() => {
    const target = box.current;
    if (target === null || size === undefined || size.width < 40 || size.height < 40) return undefined;
    const options = build(size);
    const plot = new uPlot(
      {
        ...options,
        ...size,
        legend: { show: false },
        cursor: { ...options.cursor, sync: sync(), drag: { x: true, y: false, setScale: false, dist: DRAG } },
        scales: { ...options.scales, x: { time: true, range: () => [latest.current.interval.from, latest.current.interval.to] } },
        hooks: {
          ...options.hooks,
          // A chart that is built late, or again, has the crosshair of the others.
          ready: [
            (plot) => {
              const time = before.current ?? uPlot.sync(SHARED).plots.map(pointedAt).find((time) => time !== undefined);
              if (time !== undefined) point(plot, time);
            },
          ],
          setCursor: [
            (plot) => {
              const { idx, left = -1, top = -1 } = plot.cursor;
              setCursor(isOwn.current && idx != null && left >= 0 ? { at: idx, left: left + plot.over.offsetLeft, top: top + plot.over.offsetTop } : undefined);
            },
          ],
          setSelect: [
            (plot) => {
              const { left, width } = plot.select;
              if (width < DRAG) return;
              const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
              plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              if (to - from >= 1) latest.current.onZoom({ from, to });
            },
          ],
        },
      },
      data,
      target,
    );
    plot.over.addEventListener("mouseenter", () => {
      isOwn.current = true;
      isByKey.current = false;
    });
    plot.over.addEventListener("mouseleave", () => (isOwn.current = false));
    chart.current = plot;
    return () => {
      chart.current = undefined;
      before.current = pointedAt(plot);
      plot.destroy();
    };
  }, [structure, size?.width, size?.height]);

  useEffect(() => chart.current?.setData(data), [data]);

  useEffect(() => {
    if (cursor === undefined || !isByKey.current) return undefined;
    const timer = setTimeout(() => announce(beside.current?.innerText.replace(/\s*\n\s*/g, " ") ?? ""), PAUSE);
    return () => clearTimeout(timer);
  }, [cursor?.at]);

  const move = (event: KeyboardEvent) => {
    const plot = chart.current;
    const times = data[0];
    if (plot === undefined || times.length === 0) return;
    const { min = 0, max = 0 } = plot.scales.x ?? {};
    const last = cursor?.at ?? times.length;
    const steps: Record<string, number> = { ArrowLeft: last - 1, ArrowRight: last + 1, PageUp: last - 10, PageDown: last + 10, Home: 0, End: times.length - 1 };
    const isEscape = event.key === "Escape";
    const wanted = steps[event.key];
    if (wanted === undefined && !isEscape) return;
    event.preventDefault();
    isOwn.current = !isEscape;
    isByKey.current = !isEscape;
    const time = times[Math.min(Math.max(wanted ?? 0, 0), times.length - 1)] ?? 0;
    const shown = Math.min(Math.max(time, min ?? 0), max ?? 0);
    // As an event of the mouse, so that the charts that share the crosshair follow.
    const { left, top, height } = plot.over.getBoundingClientRect();
    const at = { clientX: left + plot.valToPos(shown, "x"), clientY: top + height / 3 };
    plot.over.dispatchEvent(new MouseEvent(isEscape ? "mouseleave" : "mousemove", at));
  };
  const leave = () => {
    // The crosshair leaves the other charts too.
    if (isByKey.current) chart.current?.over.dispatchEvent(new MouseEvent("mouseleave"));
    isOwn.current = false;
    isByKey.current = false;
    setCursor(undefined);
    announce("");
  };
  const isLeft = cursor !== undefined && size !== undefined && cursor.left > size.width / 2;
  return (
    <div class="plot" ref={box} tabIndex={0} role="application" aria-label={label} onKeyDown={move} onBlur={leave}>
      {cursor !== undefined && size !== undefined && (
        <div
          ref={beside}
          class={isLeft ? "tooltip to-left" : "tooltip"}
          style={isLeft ? { right: size.width - cursor.left + 12 } : { left: cursor.left + 12 }}
        >
          {tooltip(cursor)}
        </div>
      )}
      <div class="unseen" aria-live="polite">
        {announced}
      </div>
    </div>
  );
};
