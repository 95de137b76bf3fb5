/** The box in which a query is written, with completion. In HTML a box of several lines cannot have the role of a combobox. */

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { optionsOf } from "../io/names.ts";
import { applied, type Context, contextAt, matching, type Option } from "../model/completion.ts";
import type { Interval } from "../model/time.ts";
import { useSurroundings } from "./context.ts";

interface Props {
  text: string;
  onText: (text: string) => void;
  onRun: () => void;
  /** The time of the names that are offered. */
  interval: Interval;
  box: RefObject<HTMLTextAreaElement | null>;
}

interface Offer {
  context: Context;
  options: Option[];
}

/** The most options that are shown. */
const MOST = 50;
const LIST = "query-options";
const idOf = (at: number) => `query-option-${at}`;

export const QueryBox = ({ text, onText, onRun, interval, box }: Props) => {
  const { texts } = useSurroundings();
  const [offer, setOffer] = useState<Offer | undefined>(undefined);
  /** The chosen option; -1 for none. */
  const [active, setActive] = useState(-1);
  const cursor = useRef<number | undefined>(undefined);
  const asked = useRef(0);
  const list = useRef<HTMLUListElement>(null);

  const close = () => {
    asked.current++;
    setOffer(undefined);
    setActive(-1);
  };
  /** Offers what fits at the cursor. Without `isWanted` nothing is offered before something is typed. */
  const complete = (text: string, position: number, isWanted: boolean) => {
    const turn = ++asked.current;
    const context = contextAt(text, position);
    setActive(-1);
    if (context === undefined || (context.kind === "expression" && context.typed === "" && !isWanted)) {
      setOffer(undefined);
      return;
    }
    optionsOf(context, interval).then(
      (options) => {
        if (turn !== asked.current) return;
        const fitting = matching(options, context.typed, MOST);
        setOffer(fitting.length === 0 ? undefined : { context, options: fitting });
      },
      () => turn === asked.current && setOffer(undefined),
    );
  };
  const take = (option: Option | undefined) => {
    if (offer === undefined || option === undefined) return;
    const edit = applied(text, offer.context, option);
    cursor.current = edit.cursor;
    onText(edit.text);
    close();
    // A label is followed by its value, and a function by its argument.
    if (edit.text[edit.cursor - 1] === '"' && offer.context.kind === "label") complete(edit.text, edit.cursor, false);
    box.current?.focus();
  };

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    if (cursor.current !== undefined) element.setSelectionRange(cursor.current, cursor.current);
    cursor.current = undefined;
    // As high as its text.
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [text]);
  useEffect(() => list.current?.children[active]?.scrollIntoView({ block: "nearest" }), [active]);

  const key = (event: KeyboardEvent) => {
    const element = box.current;
    if (element === null) return;
    const count = offer?.options.length ?? 0;
    const act = (action: () => void) => {
      event.preventDefault();
      action();
    };
    if (event.key === " " && event.ctrlKey) act(() => complete(text, element.selectionStart, true));
    else if (event.key === "Escape" && offer !== undefined) act(close);
    else if (event.key === "ArrowDown" && count > 0) act(() => setActive((active + 1) % count));
    else if (event.key === "ArrowUp" && count > 0) act(() => setActive((active + count) % (count + 1) === count ? count - 1 : active - 1));
    else if (event.key === "Tab" && !event.shiftKey && count > 0) act(() => take(offer?.options[Math.max(active, 0)]));
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      act(() => {
        if (active >= 0) return take(offer?.options[active]);
        close();
        onRun();
      });
    }
  };
  const isOpen = offer !== undefined;
  return (
    <div class="query-box">
      <textarea
        ref={box}
        value={text}
        rows={1}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        aria-label={texts.query}
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-controls={LIST}
        aria-describedby="query-help"
        {...(active >= 0 ? { "aria-activedescendant": idOf(active) } : {})}
        placeholder='rate(http_request_duration_seconds_count{code="200"}[5m])'
        onInput={({ currentTarget }) => {
          onText(currentTarget.value);
          complete(currentTarget.value, currentTarget.selectionStart, false);
        }}
        onKeyDown={key}
        onBlur={close}
      />
      <ul class="menu options" id={LIST} role="listbox" aria-label={texts.suggestions} ref={list} hidden={!isOpen}>
        {offer?.options.map((option, at) => (
          <li
            id={idOf(at)}
            role="option"
            aria-selected={at === active}
            // Before the box loses its focus.
            onMouseDown={(event) => {
              event.preventDefault();
              take(option);
            }}
          >
            <span class={`option ${option.kind}`}>{option.text}</span>
            <span class="quiet">{option.detail === "" ? texts.kinds[option.kind] : option.detail}</span>
          </li>
        ))}
      </ul>
      <div class="unseen" role="status">
        {offer !== undefined && texts.suggested(offer.options.length)}
      </div>
    </div>
  );
};
