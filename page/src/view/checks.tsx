/** The readiness checks, with their latency over the last hour. */

import { now, query } from "../io/api.ts";
import { useLoaded } from "../io/hooks.ts";
import type { Status } from "../io/status.ts";
import type { Check } from "../model/checks.ts";
import { clock, elapsed } from "../model/clock.ts";
import { colorOf } from "../model/colors.ts";
import { type Frame, frameOf, sampled } from "../model/frame.ts";
import { aligned } from "../model/time.ts";
import { format } from "../model/units.ts";
import { useSurroundings } from "./context.ts";
import { Sparkline } from "./singles.tsx";

const LATENCY = "max by (check) (vigie_check_duration_seconds)";
const HOUR = 3600;
const STEP = 60;

const latencies = async (signal: AbortSignal): Promise<Frame> => {
  const { from, to } = aligned({ from: now() - HOUR, to: now() }, STEP);
  const data = await query("query_range", { query: LATENCY, start: String(from), end: String(to), step: String(STEP) }, signal);
  return frameOf([{ query: "A", legend: "{{check}}", series: sampled(data) }], from, to, STEP);
};

const Entry = ({ check, values }: { check: Check; values: (number | null)[] | undefined }) => {
  const { texts, language, theme } = useSurroundings();
  const status = { ok: texts.passes, failed: texts.fails, pending: texts.checking }[check.status];
  const { parts, lastSuccess, since } = check;
  return (
    <li class={`check ${check.status}`}>
      <span class="dot" role="img" aria-label={status} title={status} />
      <span class="check-name">
        <b>{check.name}</b>
        {!check.isRequired && <span class="quiet"> {texts.optional}</span>}
        {parts !== undefined && <span class="quiet"> {texts.partsOf(parts.failing.length, parts.count)}</span>}
      </span>
      <span class="latency">{values !== undefined && <Sparkline values={values} color={colorOf(check.status === "failed" ? "red" : "gray", theme)} />}</span>
      <span class="took">{check.duration === undefined ? "" : format(check.duration, "s")}</span>
      <span class="when quiet" title={since === undefined ? "" : texts.since(clock(since, now(), language))}>
        {since === undefined ? "" : elapsed(now() - since, texts.spans)}
      </span>
      {check.status === "failed" && (
        <p class="why">
          {check.error}
          {lastSuccess !== undefined && <span class="quiet"> {texts.lastSuccess(clock(lastSuccess, now(), language))}</span>}
        </p>
      )}
      {parts?.failing.map(({ name, error }) => (
        <p class="why">
          <b>{name}</b> {error}
        </p>
      ))}
    </li>
  );
};

export const Checks = ({ known, tick }: { known: Status; tick: number }) => {
  const { texts } = useSurroundings();
  const latency = useLoaded(latencies, "latency", [tick]);
  const { checks = [], unwatched = [] } = known.readiness ?? {};
  return (
    <section class="card checks" aria-label={texts.checks}>
      <h2>
        {texts.checks}
        <span class="quiet">{texts.latency}</span>
      </h2>
      {checks.length === 0 && <p class="quiet">{known.readiness === undefined ? `${texts.loading}…` : texts.noChecks}</p>}
      <ul>
        {checks.map((check) => (
          <Entry check={check} values={latency.value?.series.find(({ name }) => name === check.name)?.values} key={check.name} />
        ))}
      </ul>
      {unwatched.length > 0 && <p class="quiet">{texts.notWatched(unwatched.join(", "))}</p>}
    </section>
  );
};
