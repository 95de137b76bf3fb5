/** A runbook: what an alert means, where to look and what to do. */

import { plain } from "../io/api.ts";
import { useLoaded } from "../io/hooks.ts";
import { linkInRunbook } from "../model/links.ts";
import { useSurroundings } from "./context.ts";
import { Markdown } from "./markdown.tsx";

export const Runbook = ({ name, isLost }: { name: string; isLost: boolean }) => {
  const { texts, language } = useSurroundings();
  const { value, error } = useLoaded((signal) => plain(`runbooks/${encodeURIComponent(name)}?lang=${language}`, signal), `${language} ${name}`, [isLost]);
  if (error !== undefined) {
    return (
      <div class="notice bad" role="alert">
        <b>{texts.noRunbook(name)}</b>
        <span>{error.message}</span>
      </div>
    );
  }
  if (value === undefined) return <div class="notice quiet">{texts.loading}…</div>;
  return (
    <article class="card text runbook" lang={language}>
      <Markdown text={value} top={1} linker={(link) => linkInRunbook(link, language)} />
    </article>
  );
};
