import { TokenError } from "../../errors.ts";

/** Takes the place of `BpeTokenizer` in the page, which would be too large with it. */
export const BpeTokenizer = { fromJSON: refuse };

/** Takes the place of `HuggingFaceTokenizer`. */
export class HuggingFaceTokenizer {
  constructor(data: { readonly kind: string }) {
    refuse(data);
  }
}

/** @throws TokenError always */
function refuse({ kind }: { readonly kind: string }): never {
  throw new TokenError(`this page cannot read a model whose \`tokenizer\` is ${kind}; nopeek sample can`);
}
