/** The ad hoc filters of a dashboard: the present ones, and a form for another one. */

import { useEffect, useRef, useState } from "preact/hooks";

import { useLoaded } from "../io/hooks.ts";
import { labels, valuesOf } from "../io/names.ts";
import { type Filter, MOST_FILTERS, OPERATORS } from "../model/filters.ts";
import type { Interval } from "../model/time.ts";
import { useSurroundings } from "./context.ts";

interface Props {
  label: string;
  filters: readonly Filter[];
  interval: Interval;
  onChange: (filters: readonly Filter[]) => void;
}

/** The most values that are suggested. */
const SUGGESTED = 500;

interface FormProps {
  interval: Interval;
  onAdd: (filter: Filter) => void;
  onCancel: () => void;
}

const Form = ({ interval, onAdd, onCancel }: FormProps) => {
  const { texts } = useSurroundings();
  const [key, setKey] = useState("");
  const [operator, setOperator] = useState(OPERATORS[0] ?? "");
  const [value, setValue] = useState("");
  const names = useLoaded(() => labels(interval), "labels", []);
  const values = useLoaded(key === "" ? undefined : () => valuesOf(key, interval), key, []);
  const first = useRef<HTMLSelectElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    onAdd({ key, operator, value });
  };
  return (
    <form class="filter-form" onSubmit={submit} onKeyDown={(event) => event.key === "Escape" && onCancel()}>
      <select aria-label={texts.filterLabel} value={key} onChange={(event) => setKey(event.currentTarget.value)} required ref={first}>
        <option value="">{texts.filterLabel}</option>
        {(names.value ?? []).map((name) => (
          <option value={name}>{name}</option>
        ))}
      </select>
      <select aria-label={texts.filterOperator} value={operator} onChange={(event) => setOperator(event.currentTarget.value)}>
        {OPERATORS.map((one) => (
          <option value={one}>{one}</option>
        ))}
      </select>
      <input aria-label={texts.filterValue} list="filter-values" value={value} onInput={(event) => setValue(event.currentTarget.value)} autocomplete="off" spellcheck={false} />
      <datalist id="filter-values">
        {(values.value ?? []).slice(0, SUGGESTED).map((one) => (
          <option value={one} />
        ))}
      </datalist>
      <button type="submit">{texts.add}</button>
      <button type="button" class="icon" aria-label={texts.cancel} title={texts.cancel} onClick={onCancel}>
        ×
      </button>
    </form>
  );
};

export const FilterBar = ({ label, filters, interval, onChange }: Props) => {
  const { texts } = useSurroundings();
  const [isOpen, open] = useState(false);
  const add = (filter: Filter) => {
    open(false);
    onChange([...filters, filter]);
  };
  return (
    <div class="filters" role="group" aria-label={label}>
      {filters.map((filter, at) => {
        const written = `${filter.key} ${filter.operator} ${filter.value}`;
        return (
          <span class="chip">
            <code>{written}</code>
            <button type="button" class="icon" aria-label={texts.removeFilter(written)} title={texts.removeFilter(written)} onClick={() => onChange(filters.filter((_, other) => other !== at))}>
              ×
            </button>
          </span>
        );
      })}
      {isOpen ? (
        <Form interval={interval} onAdd={add} onCancel={() => open(false)} />
      ) : (
        filters.length < MOST_FILTERS && (
          <button type="button" onClick={() => open(true)}>
            + {texts.addFilter}
          </button>
        )
      )}
    </div>
  );
};
