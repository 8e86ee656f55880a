import { TokenError } from "../errors.ts";
import { checkTypes } from "../util/check-types.ts";
import { printableJson } from "../util/printable.ts";
import { parseUntrustedJSON } from "../util/untrusted-json.ts";
import { parseDefinition, type TokenizerDefinition } from "./huggingface/definition.ts";
import { type LibraryEncoder, libraryEncoder } from "./huggingface/library.ts";
import { lineEncoder } from "./huggingface/line-encoder.ts";
import { type TokenDecoder, tokenDecoder } from "./huggingface/token-bytes.ts";
import type { HuggingFaceData, StreamingDecoder, StreamingTextEncoder, Tokenizer } from "./tokenizer.ts";

/**
 * The tokenizer of a model from elsewhere: any `tokenizer.json` of byte-pair encoding. Ids and texts are those of
 * Hugging Face's libraries. So, other than with nopeek's own tokenizers, the name of a special token in a text becomes
 * that token.
 *
 * @example
 * const tokenizer = new HuggingFaceTokenizer({ kind: "huggingface", definition, vocabSize: 50257, endOfText: 50256 });
 * tokenizer.encode("Hello"); // Int32Array [15496] with GPT-2's
 */
export class HuggingFaceTokenizer implements Tokenizer {
  readonly kind = "huggingface";
  readonly vocabSize: number;
  readonly endOfText: number | null;
  readonly startOfText: number | null;
  readonly #data: HuggingFaceData;
  readonly #definition: TokenizerDefinition;
  readonly #decoder: TokenDecoder;
  /** Each token by its id; undefined for ids that a model has and the tokenizer has not. */
  readonly #tokens: readonly (string | undefined)[];
  /** Opened when it is needed: that takes a second for a large vocabulary. */
  #library: LibraryEncoder | null = null;

  /** @throws TokenError if the definition is not accepted, or does not fit the size of the vocabulary */
  constructor(data: HuggingFaceData) {
    checkTypes("HuggingFaceTokenizer", { data }, { data: ["definition"] });
    this.#data = data;
    this.#definition = parseDefinition(parseUntrustedJSON(data.definition, "tokenizer.json"));
    this.#decoder = tokenDecoder(this.#definition);
    this.vocabSize = data.vocabSize;
    this.endOfText = data.endOfText;
    this.#tokens = tokensById(this.#definition, this.vocabSize);
    this.startOfText = this.#firstId();
    if (this.endOfText !== null) this.#token(this.endOfText);
  }

  encode(text: string): Int32Array {
    checkTypes("encode", { text }, { text: "string" });
    this.#library ??= libraryEncoder(this.#definition);
    const ids = this.#library(text);
    const known = new Int32Array(ids.length);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      if (id === undefined) throw this.#unknownCharacter(text);
      known[i] = id;
    }
    return known;
  }

  decode(ids: ArrayLike<number>): string {
    checkTypes("decode", { ids }, { ids: "numbers" });
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let text = "";
    for (let i = 0; i < ids.length; i++) {
      const bytes = this.#bytes(ids[i]);
      const start =
        i === 0 && this.#decoder.removed === "all spaces of the first token" ? leadingSpaces(bytes) : 0;
      text += decoder.decode(bytes.subarray(start), { stream: true });
    }
    text += decoder.decode();
    return this.#decoder.removed === "a space" ? text.replace(/^ /, "") : text;
  }

  encoder(): StreamingTextEncoder {
    return lineEncoder(this.#definition, (text) => this.encode(text));
  }

  /** A text that is continued keeps the space at the start of its next word. */
  decoder(): StreamingDecoder {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push: (id) => decoder.decode(this.#bytes(id), { stream: true }),
      end: () => decoder.decode(),
    };
  }

  tokenBytes(id: number): Uint8Array {
    return id === this.endOfText ? new Uint8Array(0) : this.#bytes(id);
  }

  toJSON(): HuggingFaceData {
    return this.#data;
  }

  #bytes(id: number): Uint8Array {
    const token = this.#token(id);
    return token === undefined ? new Uint8Array(0) : this.#decoder.bytesOf(token);
  }

  #token(id: number): string | undefined {
    if (Number.isInteger(id) && id >= 0 && id < this.vocabSize) return this.#tokens[id];
    throw new TokenError(`decode: this vocabulary's ids are 0 … ${this.vocabSize - 1}: got ${id}`);
  }

  #firstId(): number | null {
    const { first, vocab, added } = this.#definition;
    if (first === null) return null;
    const id = added.find(({ content }) => content === first)?.id ?? vocab.get(first);
    if (id !== undefined) return id;
    throw new TokenError(
      `tokenizer.json: its texts start with ${printableJson(first)}, which is not in its vocabulary`,
    );
  }

  #unknownCharacter(text: string): TokenError {
    const library = this.#library;
    const unknown = Array.from(new Set(text)).find((character) => library?.(character).includes(undefined));
    return new TokenError(
      `encode: ${unknown === undefined ? "a character of the text" : printableJson(unknown)} is not in this model's vocabulary, which came with it; leave it out`,
    );
  }
}

function tokensById({ vocab, added }: TokenizerDefinition, vocabSize: number): (string | undefined)[] {
  if (!Number.isSafeInteger(vocabSize) || vocabSize < 1 || vocabSize > 1 << 22)
    throw new TokenError(`tokenizer: \`vocabSize\` must be 1 … ${1 << 22}: got ${vocabSize}`);
  const tokens = new Array<string | undefined>(vocabSize).fill(undefined);
  const place = (token: string, id: number) => {
    if (id >= vocabSize)
      throw new TokenError(
        `tokenizer.json: the token ${printableJson(token)} has the id ${id}, and the model knows ids below ${vocabSize}`,
      );
    tokens[id] = token;
  };
  for (const [token, id] of vocab) place(token, id);
  for (const { content, id } of added) place(content, id);
  return tokens;
}

function leadingSpaces(bytes: Uint8Array): number {
  let count = 0;
  while (bytes[count] === 0x20) count += 1;
  return count;
}
