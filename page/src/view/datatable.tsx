/** The data of a chart as a table. */

import { useMemo } from "preact/hooks";

import { clock } from "../model/clock.ts";
import type { Panel } from "../model/dashboard.ts";
import { display } from "../model/field.ts";
import type { Frame } from "../model/frame.ts";
import { linesOf, rowsOf } from "../model/plot.ts";
import { shown } from "../model/units.ts";
import { useSurroundings } from "./context.ts";

/** The most rows. */
const ROWS = 60;

export const DataTable = ({ panel, frame, now }: { panel: Panel; frame: Frame; now: number }) => {
  const { texts, language, theme } = useSurroundings();
  const lines = useMemo(() => linesOf(panel, frame, theme), [panel, frame, theme]);
  return (
    <div class="table" tabIndex={0} role="region" aria-label={texts.dataOf(panel.title)}>
      <table>
        <thead>
          <tr>
            <th scope="col">{texts.time}</th>
            {lines.map(({ name }) => (
              <th scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rowsOf(frame.times.length, ROWS).map((at) => (
            <tr>
              <th scope="row">{clock(frame.times[at] ?? 0, now, language)}</th>
              {lines.map(({ field, values }) => {
                const value = values[at] ?? null;
                return <td class="number">{value === null ? "" : shown(display(field, value, theme))}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};
