/** The form for the token of the admin port. For a user and a password, browsers ask by themselves. */

import { useState } from "preact/hooks";

import { signIn } from "../io/api.ts";
import { useSurroundings } from "./context.ts";

export const Login = ({ onSignIn }: { onSignIn: () => void }) => {
  const { texts } = useSurroundings();
  const [token, setToken] = useState("");
  const [wasTried, setTried] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    signIn(token.trim());
    setTried(true);
    onSignIn();
  };
  return (
    <form class="card login" onSubmit={submit}>
      <label>
        {texts.login}
        <input type="password" autocomplete="current-password" value={token} onInput={(event) => setToken(event.currentTarget.value)} required />
      </label>
      <button type="submit">{texts.signIn}</button>
      {wasTried && (
        <p class="bad" role="alert">
          {texts.wrong}
        </p>
      )}
    </form>
  );
};
