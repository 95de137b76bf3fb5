/** Below an alert: acknowledging and silencing it, or ending that. */

import { useState } from "preact/hooks";

import { acknowledge, silence, unacknowledge, unsilence } from "../io/mute.ts";
import { useAuthor } from "../io/preferences.ts";
import type { Alert } from "../model/alerts.ts";
import { elapsed } from "../model/clock.ts";
import type { Notified } from "../model/notified.ts";
import { useSurroundings } from "./context.ts";

interface Props {
  alert: Alert;
  notified: Notified;
  /** Something changed. */
  onChange: () => void;
}

/** The durations of silences, in seconds. */
const DURATIONS = [1800, 7200, 28_800, 86_400];

export const Mute = ({ alert, notified, onChange }: Props) => {
  const { texts } = useSurroundings();
  const [author, setAuthor] = useAuthor();
  const [comment, setComment] = useState("");
  const [duration, setDuration] = useState(DURATIONS[1] ?? 0);
  const [error, setError] = useState("");
  const [isSending, setSending] = useState(false);
  const change = async (request: () => Promise<void>) => {
    setSending(true);
    setError("");
    try {
      await request();
      setComment("");
      onChange();
    } catch (error) {
      setError(error instanceof Error ? error.message : String(error));
    }
    setSending(false);
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const isSilence = (event.submitter as HTMLButtonElement | null)?.value === "silence";
    const [by, why] = [author.trim(), comment.trim()];
    void change(() => (isSilence ? silence(alert.allLabels, by, why, duration) : acknowledge(notified.fingerprint, by, why)));
  };
  const { acknowledged, silencedBy, fingerprint } = notified;
  return (
    <form class="mute" onSubmit={submit}>
      {acknowledged !== undefined && (
        <button type="button" disabled={isSending} onClick={() => void change(() => unacknowledge(fingerprint))}>
          {texts.unacknowledge}
        </button>
      )}
      {silencedBy.map((id) => (
        <button type="button" disabled={isSending} title={id} onClick={() => void change(() => unsilence(id))}>
          {texts.unsilence}
        </button>
      ))}
      {acknowledged === undefined && silencedBy.length === 0 && (
        <>
          <label>
            {texts.author}
            <input value={author} maxLength={50} autocomplete="username" onInput={(event) => setAuthor(event.currentTarget.value)} required pattern=".*\S.*" />
          </label>
          <label class="comment">
            {texts.comment}
            <input value={comment} maxLength={500} onInput={(event) => setComment(event.currentTarget.value)} />
          </label>
          <button type="submit" value="acknowledge" disabled={isSending} title={texts.acknowledgeMeans}>
            {texts.acknowledge}
          </button>
          <span class="silence">
            <button type="submit" value="silence" disabled={isSending} title={texts.silenceMeans}>
              {texts.silence}
            </button>
            <select aria-label={texts.silenceFor} value={duration} onChange={(event) => setDuration(Number(event.currentTarget.value))}>
              {DURATIONS.map((seconds) => (
                <option value={seconds}>{elapsed(seconds, texts.spans)}</option>
              ))}
            </select>
          </span>
        </>
      )}
      {error !== "" && (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
    </form>
  );
};
