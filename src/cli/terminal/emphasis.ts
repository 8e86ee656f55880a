/** Emphasizes the lines that a command prints for people, by what they are. */
import { type Span, type Style, styled } from "./styled.ts";

/** The parts of lines that are emphasized, each by its group. The first rule that fits a line counts. */
const RULES: readonly (readonly [pattern: RegExp, style: Style])[] = [
  [/^(?<part>warning)(?= {2})/, "yellow"],
  [/^(?<part>next:)$/, "bold"],
  [/^ {2}(?<part>npx nopeek .*)$/, "cyan"],
  // "step 250: validation loss about 0.8123"
  [/^(?:step [\d,]+: )?validation loss (?:about )?(?<part>\d[\d.]*)/, "bold"],
  // A label and what it names: "model       2 layers, …"
  [/^(?<part>[a-z]+(?: [a-z]+)?)(?= {2,}\S)/, "bold"],
];

/** The pieces of a line: a label, a loss, a warning or a command has a style. */
export function emphasize(line: string): (string | Span)[] {
  for (const [pattern, style] of RULES) {
    const part = pattern.exec(line)?.groups?.part;
    if (part === undefined) continue;
    const at = line.indexOf(part);
    return [line.slice(0, at), styled(style, part), line.slice(at + part.length)];
  }
  return [line];
}
