/** Texts that a person gives a model of the page to continue. */
import { SampleError } from "../../errors.ts";
import { checkPrompts } from "../../sample/generate.ts";
import { encodeDocument } from "../../text/tokenizer.ts";
import type { Engine, Viewed } from "./engine.ts";
import type { ModelName } from "./model-names.ts";

/** In the tales, a name follows. */
const TALES_PROMPT = "By the oak sat ";

/**
 * A prompt that a model can continue: the beginning of a person's own text if it trains on one. It leaves half of the
 * context to continue in.
 */
export function defaultPrompt({ run }: Engine, name: ModelName, { model, tokenizer }: Viewed): string {
  const most = Math.min(TALES_PROMPT.length, Math.ceil(model.config.contextLength / 2));
  if (name === "training" && run !== null && run.text.isOwn)
    return tokenizer.decode(run.text.ids.subarray(0, most));
  return TALES_PROMPT.slice(0, most);
}

/**
 * The ids of a prompt.
 *
 * @throws SampleError if it is empty, or fills more than the context
 * @throws TokenError for a character outside the vocabulary
 */
export function promptIds({ model, tokenizer }: Viewed, prompt: string): number[] {
  const ids = Array.from(encodeDocument(tokenizer, prompt));
  checkPrompts(model, [ids]);
  const { contextLength } = model.config;
  if (ids.length > contextLength)
    throw new SampleError(
      `this model sees at most ${contextLength} tokens at a time: the prompt has ${ids.length}; shorten it`,
    );
  return ids;
}
