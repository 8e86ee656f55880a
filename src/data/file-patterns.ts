/** Patterns that choose the files of a folder, such as "*.md". */
import { DataError } from "../errors.ts";

const STAR = "*";
const ANY_FOLDERS = STAR.repeat(2);

/**
 * Whether a path below a folder matches one of the patterns: `*` is any number of characters but "/", `?` is one of
 * them, and a pattern part `**` is any number of folders. A pattern without "/" is for the name alone.
 *
 * @param path with "/" between its parts
 * @throws DataError for an empty pattern
 * @example
 * matchesAny("letters/2024/may.md", ["*.md"]); // true
 */
export function matchesAny(path: string, patterns: readonly string[]): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return patterns.some((pattern) => {
    if (pattern === "") throw new DataError('`include`: a pattern is empty; "*.md" is an example');
    const subject = pattern.includes("/") ? path.split("/") : [name];
    return matchesParts(subject, pattern.split("/"));
  });
}

/** Each part of the pattern matches one part of the path; `**` matches any number of them. */
function matchesParts(path: readonly string[], pattern: readonly string[]): boolean {
  return matches(path.length, pattern.length, {
    isStar: (at) => pattern[at] === ANY_FOLDERS,
    isEqual: (pathAt, at) => matchesName(path[pathAt], pattern[at]),
  });
}

function matchesName(name: string, pattern: string): boolean {
  const [characters, rules] = [Array.from(name), Array.from(pattern)];
  return matches(characters.length, rules.length, {
    isStar: (at) => rules[at] === STAR,
    isEqual: (nameAt, at) => rules[at] === "?" || rules[at] === characters[nameAt],
  });
}

interface Rules {
  /** Whether a piece of the pattern matches any number of pieces of the subject. */
  isStar(at: number): boolean;
  /** Whether it matches this one piece. */
  isEqual(subjectAt: number, at: number): boolean;
}

/** In quadratic time at most: only the last star is tried again. */
function matches(subject: number, pattern: number, { isStar, isEqual }: Rules): boolean {
  let [at, rule, star, restart] = [0, 0, -1, 0];
  while (at < subject) {
    if (rule < pattern && isStar(rule)) [star, restart, rule] = [rule, at, rule + 1];
    else if (rule < pattern && isEqual(at, rule)) [at, rule] = [at + 1, rule + 1];
    else if (star >= 0) [at, restart, rule] = [restart + 1, restart + 1, star + 1];
    else return false;
  }
  while (rule < pattern && isStar(rule)) rule += 1;
  return rule === pattern;
}
