import { TokenError } from "../../errors.ts";

/** Takes the place of text/bpe/bpe-tokenizer.ts in the page, which would be too large with it. */
export const BpeTokenizer = {
  /** @throws TokenError always */
  fromJSON(): never {
    throw new TokenError(
      "this model's tokens are byte pairs (`tokenizer` bpe), which this page does not have; in a terminal, nopeek sample writes with it",
    );
  },
};
