/** Text in a terminal: measured in columns, truncated, wrapped and made safe to print. */
import { eastAsianWidth } from "get-east-asian-width";
import { printableLine } from "../../util/printable.ts";

/** Combining marks and invisible characters. */
const WITHOUT_WIDTH = /^[\p{Mark}\p{Control}\p{Format}\u115f-\u11ff]$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;

/**
 * Returns the number of columns a text occupies. Where terminals disagree, as on joined emoji, this is the largest
 * count: a line that is too short does no harm.
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

/** Returns the longest prefix of a text that fits in `columns`. */
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

/**
 * Wraps a text between words to lines of at most `columns`. A word is broken only if it is longer than a line. If there
 * are more than `most` lines, the last one ends in `more`.
 */
export function breakText(text: string, columns: number, most: number, more = "…"): string[] {
  const lines: string[] = [];
  for (let rest = text.trim(); rest !== "" && lines.length < most; ) {
    const last = lines.length === most - 1 && columnsOf(rest) > columns;
    const line = wordsOf(rest, last ? columns - columnsOf(more) - 1 : columns);
    if (line === "") break;
    lines.push(last ? `${line} ${more}` : line);
    rest = rest.slice(line.length).trimStart();
  }
  return lines;
}

/** The words at the start of a text that fit; a part of the first one if it does not. */
function wordsOf(text: string, columns: number): string {
  const full = cut(text, columns);
  if (full === text || text.startsWith(" ", full.length)) return full.trimEnd();
  const space = full.lastIndexOf(" ");
  return space <= 0 ? full : full.slice(0, space).trimEnd();
}

/** Puts generated text on one line: line breaks become `lineBreak`, and control characters are replaced. */
export function onOneLine(text: string, lineBreak: string): string {
  return printableLine(
    text
      .trim()
      .replace(/[ \t]*[\r\n]\s*/g, ` ${lineBreak} `)
      .replace(/\t/g, " "),
  );
}
