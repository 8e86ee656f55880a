/** What a text is like, and what will go wrong with it. */

export interface CorpusReport {
  readonly characters: number;
  readonly distinct: number;
  /** The rarest few, rarest first. */
  readonly rarest: readonly { readonly character: string; readonly count: number }[];
  /** Sentences, each of something that usually spoils what is learnt. */
  readonly warnings: readonly string[];
}

const RAREST = 5;
/** A line this long, and more than half of the text, is no line. */
const GIANT_LINE = 10_000;
const CONTROL = /[\p{Cc}\uFFFD]/u;
const USUAL_CONTROLS = ["\n", "\r", "\t"];

export function reportCorpus(text: string): CorpusReport {
  const counts = new Map<string, number>();
  let characters = 0;
  for (const character of text) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
    characters++;
  }
  const byRarity = [...counts].sort(([a, m], [b, n]) => m - n || (a < b ? -1 : 1));
  const rarest = byRarity.slice(0, RAREST).map(([character, count]) => ({ character, count }));
  return { characters, distinct: counts.size, rarest, warnings: warningsOf(text, counts) };
}

function warningsOf(text: string, counts: ReadonlyMap<string, number>): string[] {
  const warnings: string[] = [];
  const controls = [...counts].filter(([each]) => CONTROL.test(each) && !USUAL_CONTROLS.includes(each));
  if (controls.length > 0) {
    const shown = controls.slice(0, RAREST).map(([each, count]) => `${codePoint(each)} ${count}×`);
    warnings.push(`control characters are learnt as letters are: ${shown.join(", ")}; is it text?`);
  }
  const pairs = text.split("\r\n").length - 1;
  const breaks = counts.get("\n") ?? 0;
  const returns = counts.get("\r") ?? 0;
  if (returns > 0 && (pairs < breaks || pairs < returns)) {
    warnings.push(
      `mixed line endings: ${pairs} of CR LF, ${breaks - pairs} of LF, ${returns - pairs} of CR; it will write such a mixture`,
    );
  }
  const longest = text.split(/[\r\n]/).reduce((most, line) => Math.max(most, line.length), 0);
  if (longest > GIANT_LINE && longest > text.length / 2) {
    warnings.push("one giant line: no line breaks are there to learn, and a sample goes on without one");
  }
  return warnings;
}

/** "U+0007" */
function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
