/**
 * Whether a pattern of a tokenizer matches in linear time. Patterns come from strangers, and a search that has begun
 * cannot be stopped: `(a+)+b` takes years on thirty letters.
 *
 * An alternative passes if nothing that may fail follows a repetition without a limit, and if what comes before it can
 * match in few ways. So no search goes back over a long text. A few alternatives of well-known tokenizers break this
 * rule and are harmless.
 */

/** Alternatives that are accepted as they are: each tries a run of characters at most twice. */
const KNOWN: ReadonlySet<string> = new Set([
  // A run of spaces gives its last one to the next word. (GPT-2)
  String.raw`\s+(?!\S)`,
  // Blank lines. (GPT-4, Llama 3, Qwen)
  String.raw`\s*[\r\n]+`,
  String.raw`\s*[\r\n]`,
  // A word with a capital letter. (GPT-4o)
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?`,
]);
const LONGEST = 10_000;
const DEEPEST = 20;
const MOST_WAYS = 10_000;

/** How a part of a pattern matches. */
interface Part {
  /** Whether it can match any number of characters. */
  readonly unlimited: boolean;
  /** Whether it always matches, if only nothing. */
  readonly optional: boolean;
  /** An upper bound of the number of ways in which it matches at one place; 1 for an unlimited part. */
  readonly ways: number;
}

/** Why a pattern is not accepted. */
class Rejected extends Error {}

/**
 * Whether a regular expression of a tokenizer.json is known to match in linear time. False also for syntax that this
 * function does not know.
 */
export function isLinearPattern(pattern: string): boolean {
  if (pattern.length > LONGEST) return false;
  try {
    const parser = new Parser(pattern);
    parser.alternatives(0);
    return parser.atEnd;
  } catch (error) {
    if (error instanceof Rejected) return false;
    throw error;
  }
}

const ONE: Part = { unlimited: false, optional: false, ways: 1 };
const ZERO_WIDTH = new Set(["A", "z", "Z", "b", "B"]);
const CHARACTERS = new Set(["s", "S", "d", "D", "w", "W", "n", "r", "t", "f", "v", "h", "H"]);
const CLASS = /\[\^?(?:\\[pP]\{[\w^=]+\}|\\[^pPkgGKRX\d]|[^\\[\]&])+\]/y;
const PROPERTY = /\\[pP]\{[\w^=]+\}/y;
const QUANTIFIER = /[?*+]|\{(\d{1,4})(,(\d{1,4})?)?\}/y;
const GROUP = /\((?:\?(?:i?:|<?[=!]))?/y;

class Parser {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  get atEnd(): boolean {
    return this.#at === this.#pattern.length;
  }

  /** Alternatives up to the end, or to the parenthesis that closes the group. */
  alternatives(depth: number): Part {
    if (depth > DEEPEST) throw new Rejected();
    const parts = [this.#alternative(depth)];
    while (this.#take("|")) parts.push(this.#alternative(depth));
    return {
      unlimited: parts.some(({ unlimited }) => unlimited),
      optional: parts.some(({ optional }) => optional),
      ways: limited(parts.reduce((sum, { ways }) => sum + ways, 0)),
    };
  }

  #alternative(depth: number): Part {
    const start = this.#at;
    const known = depth === 0 ? this.#known() : null;
    if (known !== null) {
      this.#at = start + known.length;
      return { unlimited: true, optional: false, ways: 1 };
    }
    let [unlimited, optional, ways] = [false, true, 1];
    while (!this.atEnd && !"|)".includes(this.#pattern[this.#at])) {
      const part = this.#quantified(depth);
      if (unlimited && !part.optional) throw new Rejected();
      unlimited ||= part.unlimited;
      optional &&= part.optional;
      ways = limited(ways * part.ways);
    }
    return { unlimited, optional, ways };
  }

  #known(): string | null {
    const rest = this.#pattern.slice(this.#at);
    for (const known of KNOWN) if (rest === known || rest.startsWith(`${known}|`)) return known;
    return null;
  }

  #quantified(depth: number): Part {
    const part = this.#atom(depth);
    const [text, from, comma, to] = this.#match(QUANTIFIER) ?? [];
    if (text === undefined) return part;
    // Lazy and possessive ones.
    if ("?+".includes(this.#pattern[this.#at] ?? " ")) throw new Rejected();
    const least = text === "+" ? 1 : from === undefined ? 0 : Number(from);
    const most =
      text === "?" ? 1 : from === undefined ? Infinity : comma === undefined ? least : Number(to ?? Infinity);
    if (part.unlimited && most > 1) throw new Rejected();
    if (most === Infinity) return { unlimited: true, optional: least === 0, ways: 1 };
    const ways = limited(repeatedWays(part.ways, most) * (most - least + 1));
    return { unlimited: part.unlimited, optional: least === 0 || part.optional, ways };
  }

  #atom(depth: number): Part {
    const group = this.#match(GROUP);
    if (group !== null) return this.#group(group[0], depth);
    if (this.#match(PROPERTY) !== null || this.#match(CLASS) !== null) return ONE;
    const character = this.#pattern[this.#at++];
    if (character === "\\") return this.#escape();
    if ("[]{}()*+?".includes(character)) throw new Rejected();
    return "^$".includes(character) ? { ...ONE, optional: false } : ONE;
  }

  #group(opening: string, depth: number): Part {
    const inside = this.alternatives(depth + 1);
    if (!this.#take(")")) throw new Rejected();
    if (!/[=!]$/.test(opening)) return inside;
    if (inside.unlimited) throw new Rejected();
    return { unlimited: false, optional: false, ways: inside.ways };
  }

  #escape(): Part {
    const character = this.#pattern[this.#at++] ?? "";
    if (ZERO_WIDTH.has(character) || CHARACTERS.has(character)) return ONE;
    // Letters and digits have other meanings, such as what a group matched before.
    if (character === "" || /[\p{L}\p{N}]/u.test(character)) throw new Rejected();
    return ONE;
  }

  #take(character: string): boolean {
    if (this.#pattern[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#pattern);
    if (found !== null) this.#at = expression.lastIndex;
    return found;
  }
}

function limited(ways: number): number {
  if (ways <= MOST_WAYS) return ways;
  throw new Rejected();
}

/** The ways of a part that matches several times. */
function repeatedWays(ways: number, times: number): number {
  let product = 1;
  for (let i = 0; ways > 1 && i < times; i++) product = limited(product * ways);
  return product;
}
