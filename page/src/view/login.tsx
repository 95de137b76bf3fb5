/** The form for the credentials of the admin port. */

import { useState } from "preact/hooks";

import { Refused } from "../io/api.ts";
import { type Credentials, type Session, signIn } from "../io/session.ts";
import type { Texts } from "../text/en.ts";
import { useSurroundings } from "./context.ts";

const reason = (error: unknown, texts: Texts): string => {
  if (error instanceof Refused && error.status === 401) return texts.wrong;
  if (error instanceof Refused && error.status === 429) return texts.tooManyLogins;
  return error instanceof Error ? error.message : String(error);
};

interface Props {
  by: Session["by"];
  onSignIn: () => void;
}

export const Login = ({ by, onSignIn }: Props) => {
  const { texts } = useSurroundings();
  const [username, setUsername] = useState("");
  const [secret, setSecret] = useState("");
  const [error, setError] = useState("");
  const [isSending, setSending] = useState(false);
  const isToken = by === "token";
  const submit = async (event: Event) => {
    event.preventDefault();
    setSending(true);
    setError("");
    const credentials: Credentials = isToken ? { token: secret.trim() } : { username, password: secret };
    try {
      await signIn(credentials);
      onSignIn();
    } catch (error) {
      setError(reason(error, texts));
    }
    setSending(false);
  };
  return (
    <form class="card login" onSubmit={(event) => void submit(event)}>
      {!isToken && (
        <label>
          {texts.username}
          <input autocomplete="username" autocapitalize="none" spellcheck={false} value={username} onInput={(event) => setUsername(event.currentTarget.value)} required />
        </label>
      )}
      <label>
        {isToken ? texts.token : texts.password}
        <input type="password" autocomplete="current-password" value={secret} onInput={(event) => setSecret(event.currentTarget.value)} required />
      </label>
      <button type="submit" disabled={isSending}>
        {texts.signIn}
      </button>
      {error !== "" && (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
    </form>
  );
};
