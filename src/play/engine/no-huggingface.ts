import { TokenError } from "../../errors.ts";

/** Takes the place of text/huggingface-tokenizer.ts in the page, which would be too large with it. */
export class HuggingFaceTokenizer {
  /** @throws TokenError always */
  constructor() {
    throw new TokenError(
      "this model has the tokenizer of another program, which this page does not read; in a terminal, nopeek sample writes with it",
    );
  }
}
