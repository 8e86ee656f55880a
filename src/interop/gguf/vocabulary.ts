/**
 * A tokenizer as llama.cpp has it: byte-level BPE with GPT-2's spelling of bytes, which it calls "gpt2".
 *
 * - A token of several bytes exists only through merges, so each character beyond ASCII gets the merges that build it,
 *   byte by byte. They begin with its first byte, so they cannot join bytes of two characters.
 * - A file without merges is refused, so there is one that never applies.
 * - A text needs an end token, or token 11 is taken for it.
 * - Characters outside a vocabulary of characters are left out without a message.
 *
 * Source: https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp
 */
import { ConfigError } from "../../errors.ts";
import { spellBytes } from "../../text/byte-characters.ts";
import { END_OF_TEXT, type Tokenizer, type TokenizerData } from "../../text/tokenizer.ts";
import { spelledMerges } from "../spelled-merges.ts";
import type { MetadataValue } from "./write.ts";

/** The byte that UTF-8 never contains. */
const NO_BYTE = 0xff;
/** Bytes that no text contains, so the merge never applies. */
const NO_MERGE = `${spellBytes([NO_BYTE])} ${spellBytes([NO_BYTE])}`;

/**
 * The name of the pattern that splits a text into words. This one is GPT-2's; under the name "gpt-2" it comes with the
 * removal of spaces before punctuation.
 */
const PATTERN = "trillion";

/** Kinds of token, by their number in the file. */
const [NORMAL, CONTROL] = [1, 3];

/**
 * The metadata of a tokenizer.
 *
 * @param endToken the id that ends a text in llama.cpp; needed if the tokenizer has no end token and its tokens are
 *                 characters
 * @throws ConfigError without an end token, or for a kind of tokenizer that llama.cpp cannot have
 */
export function vocabularyMetadata(tokenizer: Tokenizer, endToken?: number): Map<string, MetadataValue> {
  const { tokens, merges } = tokensOf(tokenizer.toJSON());
  const { endOfText } = tokenizer;
  if (endOfText !== null) tokens.push(END_OF_TEXT);
  const end = endOfText ?? endToken ?? unusedByte(tokenizer);
  if (!Number.isInteger(end) || end < 0 || end >= tokens.length) {
    throw new ConfigError(`\`endToken\` must be an id, 0 … ${tokens.length - 1}: got ${end}`);
  }
  const types = tokens.map((_, id) => (id === endOfText ? CONTROL : NORMAL));
  return new Map<string, MetadataValue>([
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: PATTERN }],
    ["tokenizer.ggml.tokens", { type: "strings", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "int32s", value: types }],
    ["tokenizer.ggml.merges", { type: "strings", value: merges.length === 0 ? [NO_MERGE] : merges }],
    ["tokenizer.ggml.bos_token_id", { type: "uint32", value: end }],
    ["tokenizer.ggml.eos_token_id", { type: "uint32", value: end }],
    ["tokenizer.ggml.padding_token_id", { type: "uint32", value: end }],
    // Every document of the training text follows the end of another, as in a sample.
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: endOfText !== null }],
    ["tokenizer.ggml.add_eos_token", { type: "bool", value: false }],
  ]);
}

/** Whether a model needs one of its characters as llama.cpp's end token. */
export function needsEndToken({ endOfText, kind }: Tokenizer): boolean {
  return endOfText === null && kind === "char";
}

function unusedByte(tokenizer: Tokenizer): number {
  if (!needsEndToken(tokenizer)) return NO_BYTE;
  throw new ConfigError(
    "llama.cpp needs a token that ends a text, and this model was trained without one: give the id of a rare character as `endToken`, or train with `documents`",
  );
}

interface Tokens {
  readonly tokens: string[];
  readonly merges: readonly string[];
}

function tokensOf(data: TokenizerData): Tokens {
  switch (data.kind) {
    case "char": {
      const encoder = new TextEncoder();
      const characters = Array.from(data.characters, (character) => encoder.encode(character));
      return { tokens: characters.map(spellBytes), merges: [...new Set(characters.flatMap(mergesOf))] };
    }
    case "byte":
      return spelled([]);
    case "bpe":
      return spelled(data.merges);
    default:
      throw new ConfigError(
        `a tokenizer of the kind ${JSON.stringify(data)} cannot be written for llama.cpp; its convert_hf_to_gguf.py converts a Hugging Face folder`,
      );
  }
}

function spelled(pairs: readonly string[]): Tokens {
  const { tokens, merges } = spelledMerges(pairs);
  return { tokens, merges: merges.map((pair) => pair.join(" ")) };
}

/** The merges that build a character: its first two bytes, then each next byte. */
function mergesOf(bytes: Uint8Array): string[] {
  return Array.from(
    bytes.subarray(1),
    (byte, i) => `${spellBytes(bytes.subarray(0, i + 1))} ${spellBytes([byte])}`,
  );
}
