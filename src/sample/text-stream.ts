/** Decodes tokens to text as they arrive, up to the first stop string or the end of the document. */
import { SampleError } from "../errors.ts";
import type { StreamingDecoder, Tokenizer } from "../text/tokenizer.ts";

/**
 * Stop strings are matched character by character, regardless of token boundaries. The first complete stop string ends
 * the text; if several are complete at the same character, the longest counts. The stop string and the rest of its last
 * token are not part of the text. An end of the text that may become a stop string is held back.
 */
export class TextStream {
  readonly #decoder: StreamingDecoder;
  readonly #endOfText: number | null;
  readonly #stops: readonly string[];
  /** The longest end of the text that is the beginning of a stop string. */
  #held = "";
  #stop: string | null = null;
  #isComplete = false;

  /** @throws SampleError for an empty stop string */
  constructor(tokenizer: Tokenizer, stops: readonly string[]) {
    checkStops(stops);
    this.#decoder = tokenizer.decoder();
    this.#endOfText = tokenizer.endOfText;
    this.#stops = stops;
  }

  /** The stop string that ended the text, or null. */
  get stop(): string | null {
    return this.#stop;
  }

  /** Why the text needs no more tokens: a stop string, or the end of the document; null before that. */
  get ended(): "stop" | "end" | null {
    if (this.#stop !== null) return "stop";
    return this.#isComplete ? "end" : null;
  }

  /** The text that becomes final with this token; "" while a character or a possible stop string is incomplete. */
  push(token: number): string {
    this.#isComplete ||= token === this.#endOfText;
    return this.#isComplete ? "" : this.#search(this.#decoder.push(token));
  }

  /** The rest of the text, after the last token. */
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
      // Text that cannot begin a stop string is final.
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

/** Whether the text of these tokens contains a stop string or the end of the document. */
export function hasEnd(tokenizer: Tokenizer, stops: readonly string[], tokens: readonly number[]): boolean {
  const stream = new TextStream(tokenizer, stops);
  for (const token of tokens) stream.push(token);
  return stream.ended !== null;
}

/** @throws SampleError for an empty stop string */
export function checkStops(stops: readonly string[]): void {
  if (!stops.includes("")) return;
  throw new SampleError('`stop` must have at least one character: got "", which every text starts with');
}
