/** Panels and rows that are repeated for each value of a variable, laid out as Grafana does. */

import type { Panel, Scope, Section } from "./dashboard.ts";
import type { Insertion } from "./variables.ts";

/** The variables of a dashboard, by name. */
type Insertions = Readonly<Record<string, Insertion>>;

/** The most copies. */
const MOST = 50;
const COLUMNS = 24;

export interface Expanded {
  sections: Section[];
  /** The values for which there are no copies, because they are too many. */
  left: { variable: string; count: number }[];
}

/** The variables in a copy. */
export const scoped = (insertions: Insertions, scope: Scope): Insertions => {
  const own = Object.entries(scope).map(([name, value]): [string, Insertion] => [name, { values: [value], verbatim: undefined, isSet: insertions[name]?.isSet ?? false }]);
  return own.length === 0 ? insertions : { ...insertions, ...Object.fromEntries(own) };
};

/** The panels, with copies in place of those that are repeated. What is below of several rows of copies moves down. */
const copied = (panels: readonly Panel[], insertions: Insertions, left: Expanded["left"]): Panel[] => {
  const shifts: { from: number; by: number }[] = [];
  return panels.flatMap((panel) => {
    const { x, w, h } = panel.place;
    const y = shifts.reduce((y, { from, by }) => (panel.place.y >= from ? y + by : y), panel.place.y);
    const moved = { ...panel, place: { x, y, w, h } };
    if (panel.repeat === undefined) return [moved];
    const { variable, isVertical, perRow } = panel.repeat;
    const insertion = Object.hasOwn(insertions, variable) ? insertions[variable] : undefined;
    if (insertion === undefined) return [{ ...moved, unsupported: [...panel.unsupported, `repeated by ${variable}`] }];
    // In a row that is repeated by the same variable there is one value.
    const values = Object.hasOwn(panel.scope, variable) ? [panel.scope[variable] ?? ""] : insertion.values;
    if (values.length === 0) return [moved];
    if (values.length > MOST) left.push({ variable, count: values.length - MOST });
    const shown = values.slice(0, MOST);
    const beside = isVertical ? 1 : Math.min(perRow, shown.length);
    const width = isVertical ? w : Math.max(Math.floor(COLUMNS / beside), 1);
    const rows = Math.ceil(shown.length / beside);
    if (rows > 1) shifts.push({ from: panel.place.y + h, by: (rows - 1) * h });
    return shown.map((value, at): Panel => {
      const place = { x: isVertical ? x : (at % beside) * width, y: y + Math.floor(at / beside) * h, w: width, h };
      return { ...panel, place, scope: { ...panel.scope, [variable]: value } };
    });
  });
};

/** The sections with all copies of rows and panels. */
export const expanded = (sections: readonly Section[], insertions: Insertions): Expanded => {
  const left: Expanded["left"] = [];
  const rows = sections.flatMap((section): Section[] => {
    const variable = section.repeat;
    if (variable === undefined) return [section];
    const insertion = Object.hasOwn(insertions, variable) ? insertions[variable] : undefined;
    if (insertion === undefined) {
      return [{ ...section, panels: section.panels.map((panel) => ({ ...panel, unsupported: [...panel.unsupported, `row repeated by ${variable}`] })) }];
    }
    if (insertion.values.length === 0) return [section];
    if (insertion.values.length > MOST) left.push({ variable, count: insertion.values.length - MOST });
    return insertion.values.slice(0, MOST).map((value) => {
      const scope = { [variable]: value };
      return { ...section, scope, panels: section.panels.map((panel) => ({ ...panel, scope })) };
    });
  });
  const all = rows.map((section) => ({ ...section, panels: copied(section.panels, insertions, left) }));
  return { sections: all, left };
};
