/** Describes a corpus and warns about common problems. */
import type { TextFacts } from "./text-stats.ts";

export interface CorpusReport {
  readonly characters: number;
  readonly distinct: number;
  /** The rarest characters, rarest first. */
  readonly rarest: readonly { readonly character: string; readonly count: number }[];
  /** Problems that usually hurt training, one sentence each. */
  readonly warnings: readonly string[];
}

const RAREST = 5;
/** A line longer than this that is more than half of the text suggests that the text has no lines. */
const GIANT_LINE = 10_000;
const CONTROL = /[\p{Cc}\uFFFD]/u;
const USUAL_CONTROLS = ["\n", "\r", "\t"];

export function reportCorpus(facts: TextFacts): CorpusReport {
  const counts = Array.from(facts.counts, ([codePoint, count]) => ({
    character: String.fromCodePoint(codePoint),
    count,
  }));
  const byRarity = counts.toSorted((a, b) => a.count - b.count || (a.character < b.character ? -1 : 1));
  return {
    characters: facts.characters,
    distinct: counts.length,
    rarest: byRarity.slice(0, RAREST),
    warnings: warningsOf(facts, counts),
  };
}

function warningsOf(facts: TextFacts, counts: CorpusReport["rarest"]): string[] {
  const warnings: string[] = [];
  const controls = counts.filter(
    ({ character }) => CONTROL.test(character) && !USUAL_CONTROLS.includes(character),
  );
  if (controls.length > 0) {
    const shown = controls
      .slice(0, RAREST)
      .map(({ character, count }) => `${codePoint(character)} ${count}×`);
    warnings.push(`control characters are learned like letters: ${shown.join(", ")}; is this really text?`);
  }
  const { pairs, longestLine, units } = facts;
  const breaks = facts.counts.get(10) ?? 0;
  const returns = facts.counts.get(13) ?? 0;
  if (returns > 0 && (pairs < breaks || pairs < returns)) {
    warnings.push(
      `mixed line endings: ${pairs} CR LF, ${breaks - pairs} LF, ${returns - pairs} CR; samples will mix them too`,
    );
  }
  if (longestLine > GIANT_LINE && longestLine > units / 2) {
    warnings.push("one giant line: there are no line breaks to learn, so samples will not have any");
  }
  return warnings;
}

/** "U+0007" */
function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
