/** One queue: its figures, its charts, and why its jobs fail. */

import { useMemo } from "preact/hooks";

import { now } from "../io/api.ts";
import { useLoaded } from "../io/hooks.ts";
import { queue as load } from "../io/queues.ts";
import { clock, elapsed } from "../model/clock.ts";
import { dashboardOf } from "../model/dashboard.ts";
import { dashboardOfQueue, type Failure as JobFailure, type QueueDetails, quoted } from "../model/queue.ts";
import { FIGURES } from "../model/queues.ts";
import { type Interval, interval as intervalOf, type Range } from "../model/time.ts";
import { format } from "../model/units.ts";
import { exploreLinks } from "./actions.tsx";
import { useSurroundings } from "./context.ts";
import { Failure } from "./failure.tsx";
import { Panel } from "./panel.tsx";
import { UNITS } from "./queues.tsx";

interface Props {
  name: string;
  range: Range;
  tick: number;
  isLost: boolean;
  onZoom: (interval: Interval) => void;
}

const Head = ({ details }: { details: QueueDetails }) => {
  const { texts } = useSurroundings();
  const { queue, link, error } = details;
  return (
    <section class="card queue-head">
      <h1>
        {queue.name}
        {queue.isPaused === true && <span class="paused">{texts.paused}</span>}
      </h1>
      {link !== undefined && (
        <a href={link.address} rel="noreferrer">
          {texts.openIn(link.host)}
        </a>
      )}
      <dl class="figures">
        {FIGURES.map((figure) => (
          <div key={figure}>
            <dt>{texts.figures[figure]}</dt>
            <dd>{format(queue.figures[figure], UNITS[figure])}</dd>
          </div>
        ))}
      </dl>
      {error !== undefined && <p class="bad">{error}</p>}
    </section>
  );
};

const Charts = ({ name, range, tick, onZoom }: Omit<Props, "isLost">) => {
  const { texts } = useSurroundings();
  const panels = useMemo(() => dashboardOf(dashboardOfQueue(texts.queueCharts)).sections.flatMap(({ panels }) => panels), [texts]);
  const interval = useMemo(() => intervalOf(range, now()) ?? { from: now() - 10_800, to: now() }, [tick, range.from, range.to]);
  const insertions = { queue: { values: [quoted(name)], verbatim: undefined, isSet: false } };
  return (
    <div class="grid dashboard">
      {panels.map((panel) => (
        <Panel key={panel.id} panel={panel} firstRow={0} interval={interval} insertions={insertions} awaited={[]} marks={[]} onZoom={onZoom} links={exploreLinks(panel, range, insertions, [], texts)} />
      ))}
    </div>
  );
};

const Row = ({ failure }: { failure: JobFailure }) => {
  const { texts, language } = useSurroundings();
  const { name, reason, stack, count, first, last } = failure;
  const time = (seconds: number) => clock(seconds, now(), language);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="number">{format(count, "short")}</td>
      <td class="number" title={first === undefined || last === undefined ? undefined : texts.firstAndLast(time(first), time(last))}>
        {last === undefined ? "–" : texts.ago(elapsed(now() - last, texts.spans))}
      </td>
      <td class="reason">
        {reason === "" ? <span class="quiet">{texts.noReason}</span> : reason}
        {stack !== "" && <code>{stack}</code>}
      </td>
    </tr>
  );
};

const Failures = ({ details }: { details: QueueDetails }) => {
  const { texts } = useSurroundings();
  const { failures, forgotten, isRedacted } = details;
  const note = failures === undefined ? texts.failuresUnknown : failures.length === 0 ? texts.noFailures : undefined;
  return (
    <section class="card failures" aria-label={texts.failures}>
      <h2>
        {texts.failures}
        {isRedacted && note === undefined && <span class="quiet">{texts.redacted}</span>}
      </h2>
      {note !== undefined && <p class="quiet">{note}</p>}
      {failures !== undefined && failures.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.job}</th>
              <th scope="col" class="number">
                {texts.times}
              </th>
              <th scope="col" class="number">
                {texts.lastTime}
              </th>
              <th scope="col">{texts.reason}</th>
            </tr>
          </thead>
          <tbody>
            {failures.map((failure) => (
              <Row failure={failure} key={`${failure.name} ${failure.reason}`} />
            ))}
          </tbody>
        </table>
      )}
      {forgotten > 0 && <p class="quiet">{texts.forgotten(forgotten)}</p>}
    </section>
  );
};

export const Queue = ({ name, range, tick, isLost, onZoom }: Props) => {
  const { texts } = useSurroundings();
  const { value, error } = useLoaded((signal) => load(name, signal), name, [tick, isLost]);
  if (error !== undefined) return <Failure title={texts.cannotLoad} error={error} />;
  if (value === undefined) return <div class="notice quiet">{texts.loading}…</div>;
  return (
    <div class="queue">
      <Head details={value} />
      <Failures details={value} />
      <Charts name={name} range={range} tick={tick} onZoom={onZoom} />
    </div>
  );
};
