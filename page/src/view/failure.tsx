/** An error: its title and reason; for a query, the place of the error in it. */

import { Failed } from "../io/data.ts";
import { pointed } from "../model/completion.ts";
import { useSurroundings } from "./context.ts";

/** Characters of the query that are shown before and after the place. */
const AROUND = 60;

/** The line of the query that the error is in, with its character marked. */
const Pointer = ({ query, at }: { query: string; at: number }) => {
  const from = Math.max(query.lastIndexOf("\n", at - 1) + 1, at - AROUND);
  const next = query.indexOf("\n", at);
  const to = Math.min(next < 0 ? query.length : next, at + AROUND);
  // A name is marked as a whole, and at the end the place after it.
  const length = /^(?:[\w:]+|\P{Surrogate}|[\s\S]{2})/u.exec(query.slice(at, to))?.[0].length ?? 0;
  return (
    <pre class="pointer">
      {query.slice(from, at)}
      <mark>{length === 0 ? " " : query.slice(at, at + length)}</mark>
      {query.slice(at + length, to)}
    </pre>
  );
};

interface Props {
  title: string;
  error: Error;
  /** Goes to the place of the error in the query. */
  onPoint?: ((at: number) => void) | undefined;
}

export const Failure = ({ title, error, onPoint }: Props) => {
  const { texts } = useSurroundings();
  const place = error instanceof Failed ? pointed(error.message, error.query) : undefined;
  return (
    <div class="notice bad" role="alert">
      <b>{title}</b>
      {place !== undefined && error instanceof Failed && <Pointer query={error.query} at={place.at} />}
      <span>{place?.reason ?? error.message}</span>
      {place !== undefined && onPoint !== undefined && (
        <button type="button" onClick={() => onPoint(place.at)}>
          {texts.toError}
        </button>
      )}
    </div>
  );
};
