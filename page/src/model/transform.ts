/** Transformations of tables. */

import type { Cell, Column, Table } from "./frame.ts";
import { type Json, number, object, text } from "./json.ts";

type Transformation = (table: Table, options: Json) => Table;

const column = (table: Table, name: string | undefined) => table.columns.find((column) => column.name === name);
const height = (table: Table) => table.columns[0]?.cells.length ?? 0;

/** A row for each value of one column, and a column for each value of another. */
const groupingToMatrix: Transformation = (table, options) => {
  const [rowField = "Time", columnField = "Time", valueField = "Value"] = ["rowField", "columnField", "valueField"].map((key) => text(options[key]));
  const [rows, heads, values] = [rowField, columnField, valueField].map((name) => column(table, name));
  if (rows === undefined || heads === undefined || values === undefined) return table;
  const empty: Cell = options.emptyValue === "zero" ? 0 : options.emptyValue === "empty" || options.emptyValue === undefined ? "" : null;
  const distinct = (cells: Cell[]) => [...new Set(cells)];
  const names = distinct(rows.cells);
  const byRow = new Map<Cell, Map<Cell, Cell>>(names.map((name) => [name, new Map<Cell, Cell>()]));
  rows.cells.forEach((row, at) => byRow.get(row)?.set(heads.cells[at] ?? null, values.cells[at] ?? null));
  const first: Column = { name: `${rowField}\\${columnField}`, type: rows.type, cells: names };
  const others = distinct(heads.cells).map((head): Column => ({
    name: String(head),
    type: values.type,
    cells: names.map((name) => byRow.get(name)?.get(head) ?? empty),
  }));
  return { columns: [first, ...others] };
};

/** Selects, orders and renames columns. */
const organize: Transformation = (table, options) => {
  const [excluded, order, renamed, included] = ["excludeByName", "indexByName", "renameByName", "includeByName"].map((key) => object(options[key]));
  const isLimited = Object.values(included ?? {}).includes(true);
  const columns = table.columns
    .filter(({ name }) => excluded?.[name] !== true && (!isLimited || included?.[name] === true))
    .map((column, at) => ({ column, at: number(order?.[column.name]) ?? Number.MAX_SAFE_INTEGER, original: at }))
    .sort((a, b) => a.at - b.at || a.original - b.original)
    .map(({ column }) => ({ ...column, name: text(renamed?.[column.name]) || column.name }));
  return { columns };
};

/** Joins rows whose texts are equal: the values of several queries about the same series become one row. */
const merge: Transformation = (table) => {
  const keys = table.columns.filter(({ type }) => type === "text");
  const rows = new Map<string, number[]>();
  for (let at = 0; at < height(table); at++) {
    const key = JSON.stringify(keys.map(({ cells }) => cells[at]));
    rows.set(key, [...(rows.get(key) ?? []), at]);
  }
  const known = (cells: Cell[], row: number[]) => row.map((at) => cells[at] ?? null).find((cell) => cell !== null) ?? null;
  return { columns: table.columns.map((column) => ({ ...column, cells: [...rows.values()].map((row) => known(column.cells, row)) })) };
};

export const TRANSFORMATIONS: Record<string, Transformation> = { groupingToMatrix, organize, merge };

export interface Transform {
  id: string;
  options: Json;
}

export const transformed = (table: Table, transforms: Transform[]): Table =>
  transforms.reduce((table, { id, options }) => TRANSFORMATIONS[id]?.(table, options) ?? table, table);

export interface Sort {
  column: string;
  isDescending: boolean;
}

/** The order of the rows; unknown values come last in both directions. */
export const order = (table: Table, sort: Sort | undefined): number[] => {
  const rows = Array.from({ length: height(table) }, (_, at) => at);
  const cells = column(table, sort?.column)?.cells;
  if (cells === undefined) return rows;
  const sign = sort?.isDescending === true ? -1 : 1;
  const compare = (a: Cell, b: Cell) => {
    if (a === null || b === null || a === "" || b === "") return Number(a === null || a === "") - Number(b === null || b === "");
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  };
  return rows.sort((a, b) => compare(cells[a] ?? null, cells[b] ?? null) || a - b);
};
