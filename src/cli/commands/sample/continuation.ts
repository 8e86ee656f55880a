/** A text being generated: its tokens, and the part of the text that is safe to show. */
import type { EndReason } from "../../../sample/generate.ts";
import type { Choice } from "../../../sample/strategies.ts";
import { TextStream } from "../../../sample/text-stream.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";

export class Continuation {
  readonly tokens: number[] = [];
  readonly logProbabilities: number[] = [];
  readonly #stream: TextStream;
  #text = "";

  constructor(tokenizer: Tokenizer, stops: readonly string[]) {
    this.#stream = new TextStream(tokenizer, stops);
  }

  /** Builds a finished continuation from its tokens. */
  static of(
    tokenizer: Tokenizer,
    stops: readonly string[],
    tokens: readonly number[],
    logProbabilities: readonly number[],
  ): Continuation {
    const continuation = new Continuation(tokenizer, stops);
    for (const [i, token] of tokens.entries()) {
      continuation.take({ token, logProbability: logProbabilities[i] });
    }
    continuation.end();
    return continuation;
  }

  /** The text so far, without an ending that may become a stop string. */
  get text(): string {
    return this.#text;
  }

  /** Whether a stop string or the end of the document has ended it. */
  get stopped(): boolean {
    return this.#stream.ended !== null;
  }

  /** Adds a token and returns the text that can now be shown. */
  take({ token, logProbability }: Pick<Choice, "token" | "logProbability">): string {
    this.tokens.push(token);
    this.logProbabilities.push(logProbability);
    return this.#add(this.#stream.push(token));
  }

  /** Ends the text and returns what was held back. */
  end(): string {
    return this.#add(this.#stream.end());
  }

  /** The fields of the JSON result. */
  toJSON(ended: EndReason | "interrupted") {
    return {
      text: this.#text,
      tokens: this.tokens,
      logProbabilities: this.logProbabilities,
      logProbability: this.logProbabilities.reduce((sum, each) => sum + each, 0),
      ended: this.#stream.ended ?? ended,
      stop: this.#stream.stop,
    };
  }

  #add(piece: string): string {
    this.#text += piece;
    return piece;
  }
}
