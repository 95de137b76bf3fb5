/** The menu of a panel: copy it, or open its queries elsewhere. */

import { useEffect, useRef, useState } from "preact/hooks";

import { copyImage, copyJson, type Done } from "../io/clipboard.ts";
import { picture } from "../io/picture.ts";
import type { Panel } from "../model/dashboard.ts";
import { type Filter, filtered } from "../model/filters.ts";
import type { Range } from "../model/time.ts";
import { type Insertion, withVariables } from "../model/variables.ts";
import { EXPLORE, hashOf } from "../model/view.ts";
import type { Texts } from "../text/en.ts";
import { useSurroundings } from "./context.ts";

export interface Link {
  text: string;
  href: string;
  /** It leads away from Vigie. */
  isOutside: boolean;
}

interface Props {
  title: string;
  links: readonly Link[];
  /** The element of the panel. */
  element: () => HTMLElement | null;
  /** The data in JSON; `undefined` while there is none. */
  content: () => unknown;
}

/** Milliseconds for which the outcome is shown. */
const SHOWN = 4_000;

/** Opens the queries of a panel in Explore. */
export const exploreLinks = (panel: Panel, range: Range, insertions: Readonly<Record<string, Insertion>>, filters: readonly Filter[], texts: Texts): Link[] =>
  panel.targets.map(({ refId, expr }) => ({
    text: panel.targets.length > 1 ? `${texts.openInExplore}: ${refId}` : texts.openInExplore,
    href: hashOf({ page: EXPLORE, range, refresh: undefined, selection: {}, query: filtered(withVariables(expr, insertions), filters), isTable: panel.type === "table" }),
    isOutside: false,
  }));

export const Actions = ({ title, links, element, content }: Props) => {
  const { texts } = useSurroundings();
  const [isOpen, setOpen] = useState(false);
  const [outcome, setOutcome] = useState("");
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return undefined;
    const close = (event: Event) => {
      if (event.target instanceof Node && place.current?.contains(event.target) !== true) setOpen(false);
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("focusin", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("focusin", close);
    };
  }, [isOpen]);
  useEffect(() => {
    if (outcome === "") return undefined;
    const timer = setTimeout(() => setOutcome(""), SHOWN);
    return () => clearTimeout(timer);
  }, [outcome]);
  const run = (work: () => Promise<Done> | undefined) => () => {
    setOpen(false);
    button.current?.focus();
    work()?.then(
      (done) => setOutcome(done === "copied" ? texts.copied : texts.saved),
      (error: unknown) => setOutcome(`${texts.notCopied}: ${error instanceof Error ? error.message : String(error)}`),
    );
  };
  const asJson = () => {
    const found = content();
    return found === undefined ? undefined : copyJson(found, title);
  };
  const asImage = () => {
    const panel = element();
    return panel === null ? undefined : copyImage(picture(panel), title);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div class="actions" ref={place} data-tools onKeyDown={key}>
      <span class="quiet" role="status">
        {outcome}
      </span>
      <button type="button" class="about" ref={button} aria-expanded={isOpen} aria-label={texts.actions} title={texts.actions} onClick={() => setOpen(!isOpen)}>
        ⋮
      </button>
      {isOpen && (
        <ul class="menu">
          {links.map(({ text, href, isOutside }) => (
            <li>
              <a href={href} {...(isOutside ? { target: "_blank", rel: "noreferrer" } : {})}>
                {text}
              </a>
            </li>
          ))}
          <li>
            <button type="button" onClick={run(asJson)}>
              {texts.copyJson}
            </button>
          </li>
          <li>
            <button type="button" onClick={run(asImage)}>
              {texts.copyImage}
            </button>
          </li>
        </ul>
      )}
    </div>
  );
};
