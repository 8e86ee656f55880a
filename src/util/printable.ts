/** Makes text that came from a run, a file, an argument or a model safe to show on a terminal. */

/** Format characters that are visible: Arabic and Indic number signs. */
const VISIBLE_FORMAT = String.raw`\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}`;
/** U+200C and U+200D join or part letters and emoji. Next to ASCII, they only hide something. */
const JOINERS = String.raw`(?<![\x00-\x7f])[\u200c\u200d](?![\x00-\x7f])`;
/**
 * Characters that a terminal interprets, that change the direction of text, or that are invisible: control characters
 * except line feed and tab, format characters, separators of lines, and halves of UTF-16 pairs.
 */
const ACTIVE = new RegExp(
  String.raw`(?!${JOINERS})(?![\n\t${VISIBLE_FORMAT}])[\p{Control}\p{Format}\p{Line_Separator}\p{Paragraph_Separator}\p{Surrogate}]`,
  "gu",
);

/**
 * Replaces each character that a terminal may interpret by U+FFFD. Line feeds and tabs stay.
 *
 * @example
 * printable("a\u001b[2Jb"); // "a\ufffd[2Jb"
 */
export function printable(text: string): string {
  return text.replace(ACTIVE, "\ufffd");
}

/** Like `printable`, for text that must stay on one line. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, "\ufffd");
}

/**
 * A value as JSON in which no character can act on a terminal. Parsing restores the value.
 *
 * @example
 * printableJson("\u009b2J"); // "\"\\u009b2J\""
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(ACTIVE, escapeUnits);
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, unit) => {
    return `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`;
  }).join("");
}
