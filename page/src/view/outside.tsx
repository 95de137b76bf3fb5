/** What those without credentials see: the login, and, if the server tells it, the status without names. */

import type { Session } from "../io/session.ts";
import type { Check } from "../model/checks.ts";
import type { Outline } from "../model/outline.ts";
import type { Overall } from "../model/status.ts";
import { useSurroundings } from "./context.ts";
import { Login } from "./login.tsx";
import { Banner } from "./status.tsx";

const Entry = ({ check }: { check: Check }) => {
  const { texts } = useSurroundings();
  const status = { ok: texts.passes, failed: texts.fails, pending: texts.checking }[check.status];
  return (
    <li class={`check outlined ${check.status}`}>
      <span class="dot" />
      <span>
        {texts.checkNumber(check.name)} <b>{status}</b>
        {!check.isRequired && <span class="quiet"> {texts.optional}</span>}
      </span>
    </li>
  );
};

interface Props {
  /** `undefined`: the status is for those with credentials only. */
  outline: Outline | undefined;
  overall: Overall;
  by: Session["by"];
  onSignIn: () => void;
}

export const Outside = ({ outline, overall, by, onSignIn }: Props) => {
  const { texts } = useSurroundings();
  const login = <Login by={by} onSignIn={onSignIn} />;
  if (outline === undefined) return login;
  return (
    <div class="status">
      <Banner overall={overall} />
      <div class="columns">
        <section class="card checks" aria-label={texts.checks}>
          <h2>{texts.checks}</h2>
          {outline.readiness.checks.length === 0 && <p class="quiet">{texts.noChecks}</p>}
          <ul>
            {outline.readiness.checks.map((check) => (
              <Entry check={check} key={check.name} />
            ))}
          </ul>
        </section>
        <section class="card" aria-label={texts.signIn}>
          <h2>{texts.signIn}</h2>
          {login}
        </section>
      </div>
    </div>
  );
};
