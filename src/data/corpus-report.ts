/** Describes a corpus and warns about common problems. */
import { plural } from "../util/format.ts";
import type { SkippedFile } from "./text-files.ts";
import type { TextFacts } from "./text-stats.ts";

export interface CorpusReport {
  readonly characters: number;
  readonly distinct: number;
  /** The number of documents; 0 if the text is not divided. */
  readonly documents: number;
  /** The rarest characters, rarest first. */
  readonly rarest: readonly { readonly character: string; readonly count: number }[];
  /** Problems that usually hurt training, one sentence each. */
  readonly warnings: readonly string[];
}

const RAREST = 5;
/** The number of skipped files to name for each reason. */
const SHOWN_FILES = 3;
/** A line longer than this that is more than half of the text suggests that the text has no lines. */
const GIANT_LINE = 10_000;
const CONTROL = /[\p{Cc}\uFFFD]/u;
const USUAL_CONTROLS = ["\n", "\r", "\t"];

/**
 * @param documents the number of marked documents
 * @param skipped   files of folders that are not part of the text
 */
export function reportCorpus(
  facts: TextFacts,
  documents = 0,
  skipped: readonly SkippedFile[] = [],
): CorpusReport {
  const counts = Array.from(facts.counts, ([codePoint, count]) => ({
    character: String.fromCodePoint(codePoint),
    count,
  }));
  const byRarity = counts.toSorted((a, b) => a.count - b.count || (a.character < b.character ? -1 : 1));
  return {
    characters: facts.characters,
    distinct: counts.length,
    documents,
    rarest: byRarity.slice(0, RAREST),
    warnings: [...skippedInWords(skipped), ...warningsOf(facts, counts), ...compositionWarning(facts)],
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

/** "skipped 3 files of folders that are binary, such as a.png, and 1 that is empty: b.txt" */
function skippedInWords(skipped: readonly SkippedFile[]): string[] {
  const reasons = Array.from(new Set(skipped.map(({ why }) => why)));
  return reasons.map((why) => {
    const paths = skipped.filter((file) => file.why === why).map(({ path }) => path);
    return `skipped ${plural(paths.length, "file")} in folders, ${why}: ${paths.slice(0, SHOWN_FILES).join(", ")}${paths.length > SHOWN_FILES ? ", …" : ""}`;
  });
}

/** Warns about a letter that occurs in two forms: as one character, and followed by a combining mark (NFC and NFD). */
function compositionWarning({ counts }: TextFacts): string[] {
  const both = Array.from(counts.keys(), (code) => String.fromCodePoint(code)).filter((character) => {
    const [letter, mark, ...more] = Array.from(
      character.normalize("NFD"),
      (each) => each.codePointAt(0) ?? 0,
    );
    return mark !== undefined && more.length === 0 && counts.has(letter) && counts.has(mark);
  });
  if (both.length === 0) return [];
  const [first] = both;
  return [
    `letters such as ${first} may be written in two ways, as one character and with a combining mark, and a model learns both: normalize the text to NFC, for example with uconv -x nfc`,
  ];
}

/** "U+0007" */
function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
