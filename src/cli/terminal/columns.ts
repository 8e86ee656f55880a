/** Text in columns of a terminal: how many it takes, cut and broken to fit, and made safe to print. */
import { eastAsianWidth } from "get-east-asian-width";

/** Marks that stand on the character before, and what is not seen. */
const WITHOUT_WIDTH = /^[\p{Mark}\p{Control}\p{Format}\u115f-\u11ff]$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;
/** What would move the cursor, or turn the direction of what follows. */
const UNSAFE = /[\p{Control}\p{Format}\p{Line_Separator}\p{Paragraph_Separator}\p{Surrogate}]/gu;

/**
 * Columns that a text takes. Where terminals differ, as for faces joined out of several, it is the most that any
 * takes: a line that is too short does no harm.
 */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += widthOf(character);
  return columns;
}

function widthOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20 && code < 0x7f) return 1;
  if (WITHOUT_WIDTH.test(character)) return 0;
  return EMOJI.test(character) ? 2 : eastAsianWidth(code);
}

/** As much of the start of a text as `columns` hold. */
export function cut(text: string, columns: number): string {
  let end = 0;
  let left = columns;
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** A text in lines of at most `columns`, broken between words where it can be; what `most` lines do not hold is left out. */
export function breakText(text: string, columns: number, most: number): string[] {
  const lines: string[] = [];
  for (let rest = text.trim(); rest !== "" && lines.length < most; ) {
    const full = cut(rest, columns);
    if (full === "") break;
    const space = rest.startsWith(" ", full.length) ? full.length : full.lastIndexOf(" ");
    const line = full === rest || space < full.length / 2 ? full : full.slice(0, space);
    lines.push(line.trimEnd());
    rest = rest.slice(line.length).trimStart();
  }
  return lines;
}

/** A text that a model made, in one line: a sign for each line break, and nothing that a terminal would obey. */
export function onOneLine(text: string, lineBreak: string): string {
  return text
    .trim()
    .replace(/[ \t]*[\r\n]\s*/g, ` ${lineBreak} `)
    .replace(/\t/g, " ")
    .replace(UNSAFE, "\ufffd");
}
