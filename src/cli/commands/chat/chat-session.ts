/**
 * A conversation with a model: a text that the person and the model continue in turns. A base model does not answer; it
 * continues the text, so the text so far is its context.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Random } from "../../../random.ts";
import { defaultPrompt } from "../../../run/default-prompt.ts";
import { checkPrompts, type EndReason, generate } from "../../../sample/generate.ts";
import { encodeDocument } from "../../../text/tokenizer.ts";
import { encodeKnown } from "../../options/unknown-characters.ts";
import type { OpenModel } from "../../shared/open-model.ts";
import type { Terminal } from "../../terminal/output.ts";
import { Continuation } from "../sample/continuation.ts";
import { type SampleFlags, sampleSettingsOf } from "../sample/flags.ts";

/** What one turn did. */
export interface Turn {
  readonly prompt: string;
  readonly continuation: Continuation;
  readonly ended: EndReason | "interrupted";
}

export class ChatSession {
  #flags: SampleFlags;
  #opened: OpenModel;
  readonly #terminal: Terminal;
  /** The text so far, of both. */
  #ids: number[] = [];
  /** Turns since the start or the last reset: each has a random stream. */
  #turns = 0;
  #generating = false;
  #interrupted = false;

  constructor(terminal: Terminal, opened: OpenModel, flags: SampleFlags) {
    this.#terminal = terminal;
    this.#opened = opened;
    this.#flags = flags;
  }

  get flags(): SampleFlags {
    return this.#flags;
  }

  /** Changes settings of the turns that follow. A new seed starts its random streams from the first. */
  set flags(flags: SampleFlags) {
    if (flags.seed !== this.#flags.seed) this.#turns = 0;
    this.#flags = flags;
  }

  get opened(): OpenModel {
    return this.#opened;
  }

  get generating(): boolean {
    return this.#generating;
  }

  /** Continues with another model and an empty text. Returns the old one, which the caller closes. */
  replaceModel(opened: OpenModel): OpenModel {
    const old = this.#opened;
    this.#opened = opened;
    this.reset();
    return old;
  }

  /** Forgets the text. The next turn is the same as the first one of a new session. */
  reset(): void {
    this.#ids = [];
    this.#turns = 0;
  }

  /** Ends the turn after the current token. */
  interrupt(): void {
    this.#interrupted = true;
  }

  /**
   * Appends a prompt to the text and lets the model continue it. An empty prompt only lets it continue.
   *
   * @param show is called with each piece of the continuation as soon as it is final
   * @throws TokenError if the model does not know a character; the text stays as it was
   */
  async say(prompt: string, show: (piece: string) => void): Promise<Turn> {
    const { model, tokenizer } = this.#opened;
    const { tokens, overflow, stop = [] } = this.#flags;
    const text = [...this.#ids, ...this.#idsOf(prompt)];
    checkPrompts(model, [text]);
    const continuation = new Continuation(tokenizer, stop);
    const stream = generate(model, text, {
      tokens,
      overflow,
      settings: sampleSettingsOf(this.#flags),
      random: this.#random(),
      stop: () => continuation.stopped || this.#interrupted,
    });
    this.#generating = true;
    this.#interrupted = false;
    try {
      let next = await stream.next();
      for (; !next.done; next = await stream.next()) {
        show(continuation.take(next.value));
        // Keys, signals and closed pipes arrive only in a turn of the event loop.
        await nextTurn();
      }
      show(continuation.end());
      this.#ids = [...text, ...continuation.tokens];
      this.#turns++;
      return { prompt, continuation, ended: this.#interrupted ? "interrupted" : next.value };
    } finally {
      this.#generating = false;
    }
  }

  /**
   * The prompt as ids: on a new line if there is a text before it, or as a new document. Without any text, the start of
   * a text.
   */
  #idsOf(prompt: string): ArrayLike<number> & Iterable<number> {
    const { tokenizer, config } = this.#opened;
    if (prompt === "") return this.#ids.length === 0 ? defaultPrompt(config).ids : [];
    const { text: known, ids } = encodeKnown(tokenizer, prompt, this.#flags.unknown, this.#terminal);
    if (tokenizer.endOfText !== null)
      return this.#ids.at(-1) === tokenizer.endOfText ? ids : encodeDocument(tokenizer, known);
    if (this.#ids.length === 0 || tokenizer.decode(this.#ids.slice(-1)) === "\n") return ids;
    const { text } = encodeKnown(tokenizer, "\n", "drop");
    return text === "" ? ids : [...tokenizer.encode(text), ...ids];
  }

  /** The first turn draws as `nopeek sample` does with the same seed. */
  #random(): Random {
    const labels = this.#turns === 0 ? [] : [this.#turns];
    return Random.of(this.#flags.seed, "sample", ...labels);
  }
}
