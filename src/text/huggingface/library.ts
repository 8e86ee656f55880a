/**
 * Hugging Face's JavaScript library, with parts rewritten so that it computes what the Rust library does: its own
 * patterns for white space and digits differ from Rust's for a few characters (U+FEFF, U+0085, ², ٣), and its translated
 * ones do not.
 */
import { Tokenizer } from "@huggingface/tokenizers";
import { TokenError } from "../../errors.ts";
import type { TokenizerDefinition } from "./definition.ts";
import type { NormalizerPart, PreTokenizerPart } from "./parts.ts";

/** GPT-2's words. */
const GPT2_WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
/** Puts a space before a text that has none: a pattern for its start would also match inside UTF-16 pairs. */
const PREFIX = {
  type: "Replace",
  pattern: { Regex: String.raw` ([\s\S]*)|([^ ][\s\S]*)` },
  content: " $1$2",
};
/** The name of the unknown token if there is none: half of a UTF-16 pair, which no vocabulary contains. */
const NO_TOKEN = "\ud800";

/** Encodes texts; an id is undefined for a character that has no token. */
export type LibraryEncoder = (text: string) => readonly (number | undefined)[];

/** @throws TokenError if the library does not accept a pattern */
export function libraryEncoder(definition: TokenizerDefinition): LibraryEncoder {
  const tokenizer = openLibrary(definition);
  return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids;
}

function openLibrary(definition: TokenizerDefinition): Tokenizer {
  const { added, normalizers, preTokenizers, vocab, merges, unknown } = definition;
  try {
    return new Tokenizer(
      {
        added_tokens: added,
        normalizer:
          normalizers.length === 0 ? null : { type: "Sequence", normalizers: normalizers.map(ofNormalizer) },
        pre_tokenizer:
          preTokenizers.length === 0
            ? null
            : { type: "Sequence", pretokenizers: preTokenizers.flatMap(ofPreTokenizer) },
        post_processor: null,
        decoder: null,
        model: {
          type: "BPE",
          vocab: Object.fromEntries(vocab),
          merges,
          unk_token: unknown ?? NO_TOKEN,
          fuse_unk: unknown !== null && definition.fuseUnknown,
          byte_fallback: definition.byteFallback,
          ignore_merges: definition.ignoreMerges,
        },
      },
      {},
    );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TokenError(`tokenizer.json: cannot be used: ${reason}`, { cause });
  }
}

function ofNormalizer(part: NormalizerPart): object {
  return part.type === "Replace" ? { ...part, pattern: regexOf(part.pattern) } : part;
}

function ofPreTokenizer(part: PreTokenizerPart): object[] {
  switch (part.type) {
    case "ByteLevel":
      return [
        ...(part.add_prefix_space ? [PREFIX] : []),
        ...(part.use_regex ? [split(GPT2_WORDS)] : []),
        { type: "ByteLevel", add_prefix_space: false, use_regex: false },
      ];
    case "Split":
      return [{ ...part, pattern: regexOf(part.pattern) }];
    case "Digits":
      return [split(part.individual_digits ? String.raw`\p{N}` : String.raw`\p{N}+`)];
    case "Whitespace":
      return [{ ...split(String.raw`\w+|[^\w\s]+`), behavior: "Removed", invert: true }];
    case "WhitespaceSplit":
      return [{ ...split(String.raw`\s+`), behavior: "Removed" }];
    case "Metaspace":
      return [part];
  }
}

function split(pattern: string): object {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
}

/** The library puts a group around a string, and then keeps what is to be removed. */
function regexOf(pattern: { readonly String: string } | { readonly Regex: string }): {
  readonly Regex: string;
} {
  return "Regex" in pattern ? pattern : { Regex: pattern.String.replace(/[\^$\\.*+?()[\]{}|&]/g, "\\$&") };
}
