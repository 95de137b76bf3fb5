/** A text panel. */

import type { Panel } from "../model/dashboard.ts";
import { text } from "../model/json.ts";
import { Markdown } from "./markdown.tsx";

export const TextPanel = ({ panel }: { panel: Panel }) => {
  const content = text(panel.options.content) ?? "";
  return (
    <div class="text" tabIndex={0}>
      {panel.options.mode === "code" ? <pre>{content}</pre> : <Markdown text={content} top={4} />}
    </div>
  );
};
