/** The legend of a chart: a click shows one series alone, or all again; with Ctrl or Shift it toggles one. */

import type { Legend as Model, LegendRow, Line } from "../model/plot.ts";
import { titleOf } from "../model/reduce.ts";
import { format } from "../model/units.ts";
import { useSurroundings } from "./context.ts";

interface Props {
  legend: Model;
  lines: Line[];
  hidden: ReadonlySet<string>;
  onChange: (hidden: ReadonlySet<string>) => void;
}

/** The hidden series after a click. */
export const clicked = (name: string, names: readonly string[], hidden: ReadonlySet<string>, isToggle: boolean): ReadonlySet<string> => {
  if (isToggle) {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    return next.size === names.length ? new Set() : next;
  }
  const isAlone = !hidden.has(name) && names.every((other) => other === name || hidden.has(other));
  return isAlone ? new Set() : new Set(names.filter((other) => other !== name));
};

export const Legend = ({ legend, lines, hidden, onChange }: Props) => {
  const { texts } = useSurroundings();
  const names = lines.map(({ name }) => name);
  const click = (name: string) => (event: MouseEvent) => onChange(clicked(name, names, hidden, event.ctrlKey || event.metaKey || event.shiftKey));
  const value = (row: LegendRow, at: number) => {
    const field = lines[row.index]?.field;
    return format(row.values[at] ?? null, field?.unit ?? "", field?.decimals);
  };
  const entry = (row: LegendRow) => (
    <button type="button" class="series" aria-pressed={!hidden.has(row.name)} onClick={click(row.name)} title={row.name}>
      <i class="swatch" style={{ background: row.color }} />
      <span>{row.name}</span>
    </button>
  );
  if (!legend.isTable) {
    return (
      <div class="legend">
        {legend.rows.map((row) => (
          <span class="legend-entry">
            {entry(row)}
            {legend.calculations.map((one, at) => (
              <span class="legend-value">
                {titleOf(one)} <b>{value(row, at)}</b>
              </span>
            ))}
          </span>
        ))}
      </div>
    );
  }
  return (
    <div class="legend" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{texts.name}</th>
            {legend.calculations.map((one) => (
              <th scope="col" class="number">
                {titleOf(one)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {legend.rows.map((row) => (
            <tr class={hidden.has(row.name) ? "off" : ""}>
              <td>{entry(row)}</td>
              {legend.calculations.map((_, at) => (
                <td class="number">{value(row, at)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};
