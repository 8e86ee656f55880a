/** The prompt that is used when none is given. */
import { TokenError } from "../errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { RunConfig } from "./config.ts";

export interface Prompt {
  readonly text: string;
  readonly ids: Int32Array;
  /** The part of it that belongs to the text: a line break only ends what came before. */
  readonly shown: string;
}

/**
 * Where sampling starts if there is no prompt: after the end of a document, or else at another boundary of the training text. Never fails: the config of an
 * earlier version, or one that was edited, may name no start or one that the tokenizer cannot encode. Then it is a line
 * feed, or else the first token of the vocabulary.
 *
 * @example
 * const { ids } = defaultPrompt(config);
 */
export function defaultPrompt({ tokenizer, corpus }: Pick<RunConfig, "tokenizer" | "corpus">): Prompt {
  if (tokenizer.endOfText !== null) return { text: "", ids: Int32Array.of(tokenizer.endOfText), shown: "" };
  for (const text of [corpus?.start ?? "\n", "\n"]) {
    const ids = encodeIfKnown(tokenizer, text);
    if (ids.length > 0) return { text, ids, shown: /^[\r\n]$/.test(text) ? "" : text };
  }
  const text = tokenizer.decode([0]);
  return { text, ids: Int32Array.of(0), shown: text };
}

/** The ids of a text; none if it has an unknown character. */
function encodeIfKnown(tokenizer: Tokenizer, text: string): Int32Array {
  try {
    return tokenizer.encode(text);
  } catch (error) {
    if (error instanceof TokenError) return new Int32Array(0);
    throw error;
  }
}
