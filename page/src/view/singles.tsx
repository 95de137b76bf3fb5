/** Panels of single values: stat, gauge and bar gauge. */

import { onColor } from "../model/colors.ts";
import type { Panel } from "../model/dashboard.ts";
import type { Frame } from "../model/frame.ts";
import { steps } from "../model/thresholds.ts";
import { part, type Single, singlesOf } from "../model/stat.ts";
import { colorOf } from "../model/colors.ts";
import { shown } from "../model/units.ts";
import { useSurroundings } from "./context.ts";

interface Props {
  panel: Panel;
  frame: Frame;
}

const Value = ({ single }: { single: Single }) => {
  const { text, unit } = single.display;
  return (
    <span class="value">
      {text}
      {unit !== "" && <small>{unit}</small>}
    </span>
  );
};

const sparkline = (values: (number | null)[]): { line: string; area: string } | undefined => {
  const known = values.flatMap((value) => value ?? []);
  if (known.length < 2) return undefined;
  const [min, max] = [Math.min(...known), Math.max(...known)];
  const points = values.flatMap((value, at) => {
    if (value === null) return [];
    const x = (at / (values.length - 1)) * 100;
    const y = max === min ? 20 : 38 - ((value - min) / (max - min)) * 36;
    return [`${x.toFixed(2)} ${y.toFixed(2)}`];
  });
  const line = `M${points.join("L")}`;
  const [first = "0 0", last = "0 0"] = [points[0], points.at(-1)];
  return { line, area: `${line}L${last.split(" ")[0]} 40L${first.split(" ")[0]} 40Z` };
};

export const Sparkline = ({ values, color }: { values: (number | null)[]; color: string }) => {
  const path = sparkline(values);
  return (
    <svg class="sparkline" viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
      {path !== undefined && <path d={path.area} fill={color} fill-opacity="0.15" />}
      {path !== undefined && <path d={path.line} fill="none" stroke={color} stroke-width="1.5" vector-effect="non-scaling-stroke" />}
    </svg>
  );
};

/** Whether the name of each value is shown. */
const isNamed = (panel: Panel, all: Single[]) => {
  const { textMode } = panel.options;
  return textMode === "value_and_name" || textMode === "name" || ((textMode === "auto" || textMode === undefined) && all.length > 1);
};

export const Stat = ({ panel, frame }: Props) => {
  const { theme } = useSurroundings();
  const all = singlesOf(panel, frame, theme);
  const { colorMode = "value", graphMode, textMode } = panel.options;
  const isBackground = colorMode === "background" || colorMode === "background_solid";
  return (
    <div class="singles">
      {all.map((single) => {
        const style = isBackground ? { background: single.color, color: onColor(single.color) } : colorMode === "none" ? {} : { color: single.color };
        return (
          <div class={isBackground ? "single filled" : "single"} style={style} title={single.name}>
            {isNamed(panel, all) && <span class="single-name">{single.name}</span>}
            {textMode !== "name" && textMode !== "none" && <Value single={single} />}
            {graphMode === "area" && <Sparkline values={single.values} color={isBackground ? onColor(single.color) : single.color} />}
          </div>
        );
      })}
    </div>
  );
};

export const BarGauge = ({ panel, frame }: Props) => {
  const { theme } = useSurroundings();
  const all = singlesOf(panel, frame, theme);
  return (
    <div class="bars">
      {all.map((single) => (
        <div class="level" title={single.name}>
          <span class="bar-name">{single.name}</span>
          <span class="bar-track">
            <span class="bar-fill" style={{ width: `${part(single, all) * 100}%`, background: single.color }} />
          </span>
          <b style={{ color: single.color }}>{shown(single.display)}</b>
        </div>
      ))}
    </div>
  );
};

/** The angle of the gauge is 240°, from the lower left to the lower right. */
const SWEEP = 240;
const arc = (from: number, to: number): string => {
  const at = (part: number) => {
    const angle = ((part * SWEEP + 150) * Math.PI) / 180;
    return `${(50 + 40 * Math.cos(angle)).toFixed(2)} ${(50 + 40 * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${at(from)}A40 40 0 ${(to - from) * SWEEP > 180 ? 1 : 0} 1 ${at(to)}`;
};

export const Gauge = ({ panel, frame }: Props) => {
  const { theme } = useSurroundings();
  const all = singlesOf(panel, frame, theme);
  return (
    <div class="singles">
      {all.map((single) => {
        const share = part(single, all);
        const marks = steps(single.field).filter(({ from }) => Number.isFinite(from));
        return (
          <div class="gauge">
            <svg viewBox="0 0 100 78" role="img" aria-label={`${single.name} ${shown(single.display)}`}>
              <path d={arc(0, 1)} class="gauge-track" />
              {share > 0 && <path d={arc(0, share)} class="gauge-fill" style={{ stroke: single.color }} />}
              {marks.map(({ from, color }) => {
                const at = part({ ...single, value: from }, all);
                return <path d={arc(Math.max(at - 0.004, 0), Math.min(at + 0.004, 1))} class="gauge-mark" style={{ stroke: colorOf(color, theme) }} />;
              })}
            </svg>
            <b class="gauge-value" style={{ color: single.color }}>
              {shown(single.display)}
            </b>
            {isNamed(panel, all) && <span class="single-name">{single.name}</span>}
          </div>
        );
      })}
    </div>
  );
};
