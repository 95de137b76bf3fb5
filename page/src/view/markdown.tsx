/** Markdown as elements. */

import type { ComponentChildren } from "preact";

import { type Block, blocks, type Inline, type Linker } from "../model/markdown.ts";

const part = (one: Inline): ComponentChildren => {
  switch (one.kind) {
    case "code":
      return <code>{one.text}</code>;
    case "strong":
      return <strong>{one.text}</strong>;
    case "emphasis":
      return <em>{one.text}</em>;
    case "link":
      return (
        <a href={one.href} rel="noreferrer">
          {one.text}
        </a>
      );
    default:
      return one.text;
  }
};

/** An item of one paragraph is written without a paragraph. */
const item = (inside: Block[], top: number): ComponentChildren => {
  const [first, ...others] = inside;
  return (
    <li>
      {first?.kind === "paragraph" ? first.inside.map(part) : first !== undefined && block(first, top)}
      {others.map((one) => block(one, top))}
    </li>
  );
};

const block = (one: Block, top: number): ComponentChildren => {
  switch (one.kind) {
    case "heading": {
      const Heading = `h${Math.min(top + one.level - 1, 6)}` as "h1";
      return <Heading class={`heading level-${one.level}`}>{one.inside.map(part)}</Heading>;
    }
    case "list": {
      const List = one.isOrdered ? "ol" : "ul";
      return <List>{one.items.map((inside) => item(inside, top))}</List>;
    }
    case "table":
      return (
        <table>
          <thead>
            <tr>
              {one.head.map((cell) => (
                <th scope="col">{cell.map(part)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {one.rows.map((row) => (
              <tr>
                {row.map((cell) => (
                  <td>{cell.map(part)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
    case "code":
      return <pre tabIndex={0}>{one.text}</pre>;
    default:
      return <p>{one.inside.map(part)}</p>;
  }
};

interface Props {
  text: string;
  /** The level of its headings of the first level. */
  top: number;
  linker?: Linker;
}

export const Markdown = ({ text, top, linker }: Props) => <>{blocks(text, linker).map((one) => block(one, top))}</>;
