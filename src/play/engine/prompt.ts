/** Texts that a person gives a model of the page to continue. */
import { SampleError } from "../../errors.ts";
import { checkPrompts } from "../../sample/generate.ts";
import { encodeDocument } from "../../text/tokenizer.ts";
import type { Viewed } from "./engine.ts";

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
