/** Continues a text, in pieces that are yielded as soon as they are final. */

import type { GPT } from "../nn/gpt.ts";
import { encodeDocument, type Tokenizer } from "../text/tokenizer.ts";
import { checkTypes } from "../util/check-types.ts";
import { type EndReason, type GenerateOptions, generate } from "./generate.ts";
import type { SampleSettings } from "./settings.ts";
import { TextStream } from "./text-stream.ts";

/** Samples from the model's distribution unchanged. */
export const PLAIN_SAMPLING: SampleSettings = { strategy: "sample", temperature: 1, topK: null, topP: null };

const textTypes = { tokenizer: ["encode", "decoder"], prompt: "string", options: "object" } as const;

export interface TextOptions extends Pick<GenerateOptions, "tokens" | "random"> {
  /** Overrides for `PLAIN_SAMPLING`. */
  readonly settings?: Partial<SampleSettings>;
  /** See `GenerateOptions`. Default: "stop". */
  readonly overflow?: GenerateOptions["overflow"];
  /** Stop strings: the first to appear ends the continuation and is not included in it. */
  readonly stops?: readonly string[];
}

/**
 * Continues a prompt, as the beginning of a document if the tokenizer has an end token; that token ends the text. The
 * pieces join to form the continuation, without the prompt.
 *
 * @returns why it ended, as the generator's return value
 * @throws TokenError for a character of the prompt outside the vocabulary; SampleError and LogitsError like `generate`
 * @example
 * const options = { tokens: 200, random: Random.of(1337), settings: { temperature: 0.8 } };
 * for await (const piece of generateText(model, tokenizer, "Once", options)) process.stdout.write(piece);
 */
export async function* generateText(
  model: GPT,
  tokenizer: Tokenizer,
  prompt: string,
  options: TextOptions,
): AsyncGenerator<string, EndReason, void> {
  checkTypes("generateText", { tokenizer, prompt, options }, textTypes);
  const { tokens, random, settings = {}, overflow = "stop", stops = [] } = options;
  checkTypes("generateText", { settings, stops }, { settings: "object", stops: "array" });
  const text = new TextStream(tokenizer, stops);
  const choices = generate(model, encodeDocument(tokenizer, prompt), {
    tokens,
    random,
    settings: { ...PLAIN_SAMPLING, ...settings },
    overflow,
  });
  let end: EndReason = "length";
  try {
    for (let next = await choices.next(); ; next = await choices.next()) {
      if (next.done) {
        end = next.value;
        break;
      }
      const piece = text.push(next.value.token);
      if (piece !== "") yield piece;
      if (text.ended !== null) break;
    }
    const rest = text.end();
    if (rest !== "") yield rest;
    return text.ended ?? end;
  } finally {
    // Frees the cache, also if the caller leaves the loop early.
    await choices.return(end);
  }
}
