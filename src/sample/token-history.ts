/**
 * The tokens of a text that grows, indexed for the rules against repetition: what they ask costs the same at any length,
 * where an array of tokens is searched from its start.
 */
export class TokenHistory {
  readonly #tokens: number[] = [];
  readonly #seen = new Set<number>();
  /** By the length of the n-gram. */
  readonly #indexes = new Map<number, NgramIndex>();

  constructor(tokens: ArrayLike<number>) {
    for (let i = 0; i < tokens.length; i++) this.push(tokens[i]);
  }

  push(token: number): void {
    this.#tokens.push(token);
    this.#seen.add(token);
    for (const index of this.#indexes.values()) index.extend();
  }

  has(token: number): boolean {
    return this.#seen.has(token);
  }

  /** Like `Array.slice`. */
  slice(start: number): number[] {
    return this.#tokens.slice(start);
  }

  /** The tokens that followed each earlier occurrence of the newest n−1 tokens. With n = 1, every token so far. */
  followers(n: number): ReadonlySet<number> {
    let index = this.#indexes.get(n);
    if (index === undefined) {
      index = new NgramIndex(this.#tokens, n - 1);
      this.#indexes.set(n, index);
    }
    return index.followers;
  }
}

/** A run of tokens that occurred, by its first occurrence, and the tokens that followed it. */
interface Run {
  readonly start: number;
  readonly followers: Set<number>;
}

const NONE: ReadonlySet<number> = new Set();

/** All runs of `size` tokens, and what followed each. */
class NgramIndex {
  readonly #tokens: readonly number[];
  readonly #size: number;
  readonly #runs = new Map<number, Run[]>();
  /** The run that the newest tokens form; null while there are too few. */
  #newest: Run | null = null;
  #length = 0;

  constructor(tokens: readonly number[], size: number) {
    this.#tokens = tokens;
    this.#size = size;
    if (size === 0) this.#newest = this.#runEndingAt(0);
    while (this.#length < tokens.length) this.extend();
  }

  get followers(): ReadonlySet<number> {
    return this.#newest?.followers ?? NONE;
  }

  /** Adds the first token that is not indexed yet. */
  extend(): void {
    this.#newest?.followers.add(this.#tokens[this.#length]);
    this.#length++;
    if (this.#length >= this.#size) this.#newest = this.#runEndingAt(this.#length);
  }

  /** The run of the `size` tokens before a place, found or new. */
  #runEndingAt(end: number): Run {
    const start = end - this.#size;
    const hash = this.#hash(start);
    const runs = this.#runs.get(hash) ?? [];
    const known = runs.find((run) => this.#equal(run.start, start));
    if (known !== undefined) return known;
    const run = { start, followers: new Set<number>() };
    this.#runs.set(hash, [...runs, run]);
    return run;
  }

  #hash(start: number): number {
    let hash = 0;
    for (let i = start; i < start + this.#size; i++) hash = Math.imul(hash + this.#tokens[i] + 1, 0x9e3779b1);
    return hash;
  }

  #equal(a: number, b: number): boolean {
    for (let i = 0; i < this.#size; i++) if (this.#tokens[a + i] !== this.#tokens[b + i]) return false;
    return true;
  }
}
