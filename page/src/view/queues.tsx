/** All queues in a table that can be sorted. */

import { useState } from "preact/hooks";

import { useLoaded } from "../io/hooks.ts";
import { queues } from "../io/queues.ts";
import { colorOf } from "../model/colors.ts";
import { clicked, type Figure, FIGURES, type Order, sorted } from "../model/queues.ts";
import { format } from "../model/units.ts";
import { useSurroundings } from "./context.ts";
import { Failure } from "./failure.tsx";
import { Sparkline } from "./singles.tsx";

/** The units of the figures. */
export const UNITS: Record<Figure, string> = { waiting: "short", active: "short", delayed: "short", failures: "short", oldest: "s", workers: "short", p95: "s" };

interface Props {
  tick: number;
  isLost: boolean;
  /** The address of the page of a queue. */
  linkOf: (queue: string) => string;
}

export const Queues = ({ tick, isLost, linkOf }: Props) => {
  const { texts, theme } = useSurroundings();
  const [order, setOrder] = useState<Order>({ by: "waiting", isDescending: true });
  const { value, error } = useLoaded(queues, "queues", [tick, isLost]);
  if (error !== undefined) return <Failure title={texts.cannotLoad} error={error} />;
  if (value === undefined) return <div class="notice quiet">{texts.loading}…</div>;
  const head = (by: Order["by"], label: string) => {
    const direction = order.by !== by ? "none" : order.isDescending ? "descending" : "ascending";
    return (
      <th scope="col" class={by === "name" ? "" : "number"} aria-sort={direction}>
        <button type="button" onClick={() => setOrder(clicked(order, by))}>
          {label}
          <span class="sort" aria-hidden="true">
            {direction === "none" ? "" : direction === "ascending" ? " ↑" : " ↓"}
          </span>
        </button>
      </th>
    );
  };
  return (
    <section class="card queues table" aria-label={texts.queues} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head("name", texts.queue)}
            {FIGURES.map((figure) => head(figure, texts.figures[figure]))}
            <th scope="col" class="trend">
              {texts.trend}
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted(value, order).map((queue) => (
            <tr key={queue.name}>
              <th scope="row">
                <a href={linkOf(queue.name)}>{queue.name}</a>
                {queue.isPaused === true && <span class="paused">{texts.paused}</span>}
              </th>
              {FIGURES.map((figure) => (
                <td class="number">{format(queue.figures[figure], UNITS[figure])}</td>
              ))}
              <td class="trend">
                <Sparkline values={queue.trend} color={colorOf("blue", theme)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
};
