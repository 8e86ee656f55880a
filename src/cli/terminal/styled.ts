/** Text with colors and weight: the only escape sequences that the program writes inside a line. */
import { inspect } from "node:util";
import { printable } from "../../util/printable.ts";

const STYLES = ["bold", "dim", "red", "green", "yellow", "blue", "magenta", "cyan", "gray"] as const;
export type Style = (typeof STYLES)[number];

/** A piece of a line; a style of null leaves it plain. */
export interface Span {
  readonly text: string;
  readonly style: Style | null;
}

export function styled(style: Style | null, text: string): Span {
  return { style, text };
}

/** Joins pieces to a line. Their text is made printable first, so only the styles are escape sequences. */
export function renderSpans(spans: readonly (string | Span)[], color: boolean): string {
  return spans
    .map((span) => {
      if (typeof span === "string") return printable(span);
      const text = printable(span.text);
      if (!color || span.style === null || text === "") return text;
      const [on, off] = codesOf(span.style);
      return `${sequence(on)}${text}${sequence(off)}`;
    })
    .join("");
}

const SEQUENCES = new RegExp(
  `(\x1b\\[(?:${[...new Set(STYLES.flatMap((style) => codesOf(style)))].join("|")})m)`,
);

/** Makes a drawn line printable except for the styles in it. */
export function printableDrawing(line: string): string {
  // With a group in the pattern, every second piece is a separator.
  return line
    .split(SEQUENCES)
    .map((piece, i) => (i % 2 === 1 ? piece : printable(piece)))
    .join("");
}

function codesOf(style: Style): readonly [on: number, off: number] {
  const [on, off] = inspect.colors[style] ?? [0, 0];
  return [on, off];
}

function sequence(code: number): string {
  return `\x1b[${code}m`;
}
