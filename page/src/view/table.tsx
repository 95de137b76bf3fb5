/** A table panel. */

import { useState } from "preact/hooks";

import { clock } from "../model/clock.ts";
import { onColor } from "../model/colors.ts";
import type { Panel } from "../model/dashboard.ts";
import { type Field, display, fieldOf } from "../model/field.ts";
import type { Cell, Column, Table } from "../model/frame.ts";
import { object, objects, text } from "../model/json.ts";
import { order, type Sort } from "../model/transform.ts";
import { shown } from "../model/units.ts";
import { useSurroundings } from "./context.ts";

interface Props {
  panel: Panel;
  table: Table;
  now: number;
}

const initial = (panel: Panel): Sort | undefined => {
  const first = objects(panel.options.sortBy)[0];
  const column = text(first?.displayName);
  return column === undefined ? undefined : { column, isDescending: first?.desc === true };
};

export const TablePanel = ({ panel, table, now }: Props) => {
  const { theme, language } = useSurroundings();
  const [sort, setSort] = useState(() => initial(panel));
  const columns = table.columns.map((column) => ({
    column,
    field: fieldOf(panel.fieldConfig, { name: column.name, type: column.type, query: "", labels: {} }),
  })).filter(({ field }) => field.custom.hidden !== true);
  const isNumber = ({ type }: Column) => type === "number";
  const cell = (column: Column, field: Field, value: Cell) => {
    if (column.type === "time") return <td>{typeof value === "number" ? clock(value / 1000, now, language) : ""}</td>;
    if (value === null || value === "") return <td class={isNumber(column) ? "number" : ""} />;
    const { color, ...written } = display(field, value, theme);
    const kind = text(object(field.custom.cellOptions).type);
    const isColored = color !== undefined && color !== "transparent";
    const style = isColored && kind === "color-background" ? { background: color, color: onColor(color) } : isColored && kind === "color-text" ? { color } : {};
    return (
      <td class={isNumber(column) ? "number" : ""} style={style}>
        {shown(written)}
      </td>
    );
  };
  const toggle = (name: string) => setSort((sort) => (sort?.column !== name ? { column: name, isDescending: false } : sort.isDescending ? undefined : { column: name, isDescending: true }));
  return (
    <div class="table" tabIndex={0}>
      <table>
        {panel.options.showHeader !== false && (
          <thead>
            <tr>
              {columns.map(({ column, field }) => {
                const direction = sort?.column !== column.name ? undefined : sort.isDescending ? "descending" : "ascending";
                return (
                  <th scope="col" class={isNumber(column) ? "number" : ""} aria-sort={direction ?? "none"}>
                    <button type="button" onClick={() => toggle(column.name)}>
                      {field.title}
                      <span class="sort" aria-hidden="true">{direction === undefined ? "" : direction === "ascending" ? " ↑" : " ↓"}</span>
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
        )}
        <tbody>
          {order(table, sort).map((row) => (
            <tr>{columns.map(({ column, field }) => cell(column, field, column.cells[row] ?? null))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};
