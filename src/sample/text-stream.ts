/** The text of tokens as they come, up to the first stop string. Token ids enter; text leaves that may be shown. */
import { SampleError } from "../errors.ts";
import type { StreamingDecoder, Tokenizer } from "../text/tokenizer.ts";

/**
 * Text is searched character by character, whichever tokens it came in: the first stop string to be complete ends
 * it, of those complete at the same character the longest. Neither the stop string nor what its token says after it
 * is part of the text. The end of the text that may yet become a stop string is held back.
 */
export class TextStream {
  readonly #decoder: StreamingDecoder;
  readonly #stops: readonly string[];
  /** The longest end of the text that a stop string begins with. */
  #held = "";
  #stop: string | null = null;

  /** @throws SampleError for an empty stop string */
  constructor(tokenizer: Tokenizer, stops: readonly string[]) {
    checkStops(stops);
    this.#decoder = tokenizer.decoder();
    this.#stops = stops;
  }

  /** The stop string that has ended the text; null before that. */
  get stop(): string | null {
    return this.#stop;
  }

  /** The text that a token makes certain: none while a character or what may be a stop string is unfinished. */
  push(token: number): string {
    return this.#search(this.#decoder.push(token));
  }

  /** What is left when no more tokens come. */
  end(): string {
    const text = this.#search(this.#decoder.end()) + this.#held;
    this.#held = "";
    return text;
  }

  #search(piece: string): string {
    let certain = "";
    for (let at = 0; at < piece.length && this.#stop === null; at++) {
      this.#held += piece[at];
      const complete = this.#stops.filter((stop) => this.#held.endsWith(stop));
      if (complete.length > 0) {
        this.#stop = complete.reduce((longest, stop) => (stop.length > longest.length ? stop : longest));
        certain += this.#held.slice(0, -this.#stop.length);
        this.#held = "";
      }
      // Whatever no stop string begins with is certain.
      let free = 0;
      while (free < this.#held.length && !this.#mayStop(this.#held.slice(free))) free++;
      certain += this.#held.slice(0, free);
      this.#held = this.#held.slice(free);
    }
    return certain;
  }

  #mayStop(text: string): boolean {
    return this.#stops.some((stop) => stop.startsWith(text));
  }
}

/** Whether the text of these tokens holds a stop string. */
export function holdsStop(
  tokenizer: Tokenizer,
  stops: readonly string[],
  tokens: readonly number[],
): boolean {
  const stream = new TextStream(tokenizer, stops);
  for (const token of tokens) stream.push(token);
  return stream.stop !== null;
}

/** @throws SampleError for an empty stop string */
export function checkStops(stops: readonly string[]): void {
  if (!stops.includes("")) return;
  throw new SampleError(
    '`stop` must be a text of at least one character: got "", which every text holds before its first character',
  );
}
