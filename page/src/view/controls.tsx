/** The time range and the refresh of the charts. */

import { clock } from "../model/clock.ts";
import { interval, isLive, type Range } from "../model/time.ts";
import { now } from "../io/api.ts";
import { useSurroundings } from "./context.ts";

interface Props {
  range: Range;
  refresh: string;
  canUndo: boolean;
  onRange: (range: Range) => void;
  onUndo: () => void;
  onRefresh: (refresh: string) => void;
  onNow: () => void;
}

const SPANS = ["5m", "15m", "30m", "1h", "3h", "6h", "12h", "24h"];
const PERIODS = ["", "5s", "15s", "30s", "1m", "5m"];

/** `3h` as `3 h`. */
const spaced = (span: string, units: Record<string, string>) => span.replace(/^(\d+)(\w)$/, (_, count: string, unit: string) => `${count} ${units[unit] ?? unit}`);

/** The range around the same middle, twice as long; it does not end in the future. */
const wider = (range: Range): Range => {
  const { from, to } = interval(range, now()) ?? { from: now() - 3600, to: now() };
  const half = (to - from) / 2;
  const end = Math.min(to + half, now());
  return { from: String(Math.round((end - 4 * half) * 1000)), to: String(Math.round(end * 1000)) };
};

export const Controls = ({ range, refresh, canUndo, onRange, onUndo, onRefresh, onNow }: Props) => {
  const { texts, language } = useSurroundings();
  const span = isLive(range) ? range.from.replace("now-", "") : "";
  const absolute = interval(range, now());
  const time = (seconds: number) => clock(seconds, now(), language);
  return (
    <div class="controls">
      {canUndo && (
        <button type="button" onClick={onUndo}>
          ↶ {texts.zoomBack}
        </button>
      )}
      <select aria-label={texts.timeRange} value={span} onChange={(event) => onRange({ from: `now-${event.currentTarget.value}`, to: "now" })}>
        {!SPANS.includes(span) && <option value={span}>{span === "" && absolute !== undefined ? `${time(absolute.from)} – ${time(absolute.to)}` : texts.last(spaced(span, texts.spans))}</option>}
        {SPANS.map((span) => (
          <option value={span}>{texts.last(spaced(span, texts.spans))}</option>
        ))}
      </select>
      <button type="button" class="icon" aria-label={texts.zoomOut} title={texts.zoomOut} onClick={() => onRange(wider(range))}>
        −
      </button>
      <button type="button" class="icon" aria-label={texts.refreshNow} title={texts.refreshNow} onClick={onNow}>
        ↻
      </button>
      <select aria-label={texts.refresh} title={texts.refresh} value={refresh} onChange={(event) => onRefresh(event.currentTarget.value)}>
        {!PERIODS.includes(refresh) && <option value={refresh}>{refresh}</option>}
        {PERIODS.map((period) => (
          <option value={period}>{period === "" ? texts.never : spaced(period, texts.spans)}</option>
        ))}
      </select>
    </div>
  );
};
