/**
 * A tokenizer as Hugging Face's libraries read it: `tokenizer.json` says how text becomes ids, and
 * `tokenizer_config.json` which tokens end and pad a text. The Python libraries and the JavaScript ones compute nopeek's
 * ids from them. If the model has an end token, a text begins with it, as the prompt of a sample does, unless they are
 * asked for no special tokens. Two things differ, because these libraries know no other way:
 *
 * - A text that contains `<|endoftext|>` contains the end token, if the model has one.
 * - Half of a UTF-16 pair, which only JavaScript's strings can hold, is an unknown character.
 */
import { ConfigError } from "../errors.ts";
import { WORD_PATTERN } from "../text/bpe/split-words.ts";
import { END_OF_TEXT, type Tokenizer, type TokenizerData } from "../text/tokenizer.ts";
import { spelledMerges } from "./spelled-merges.ts";

/**
 * The token of characters outside a vocabulary of characters. It has no id. So Python raises an error that quotes this
 * name, as nopeek raises one; with no such token, the characters would disappear without a message.
 */
const UNKNOWN = "<|a character outside the vocabulary|>";

/** The two files, before they are written as JSON. */
export interface TokenizerFiles {
  /** `tokenizer.json` */
  readonly tokenizer: TokenizerDescription;
  /** `tokenizer_config.json` */
  readonly config: Readonly<Record<string, unknown>>;
}

/** The members that every `tokenizer.json` has. */
export interface TokenizerDescription {
  readonly version: "1.0";
  readonly truncation: null;
  readonly padding: null;
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: null;
  readonly pre_tokenizer: Part;
  readonly post_processor: Part | null;
  readonly decoder: Part;
  readonly model: BPEModel;
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

type Part = { readonly type: string } & Readonly<Record<string, unknown>>;

interface BPEModel {
  readonly type: "BPE";
  readonly dropout: null;
  readonly unk_token: string | null;
  readonly continuing_subword_prefix: null;
  readonly end_of_word_suffix: null;
  readonly fuse_unk: boolean;
  readonly byte_fallback: boolean;
  readonly ignore_merges: boolean;
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (readonly [string, string])[];
}

/**
 * Describes a tokenizer for Hugging Face's libraries.
 *
 * @param contextLength the longest sequence that the model reads
 * @throws ConfigError for a kind of tokenizer that cannot be described
 * @example
 *   const { tokenizer, config } = tokenizerFiles(CharTokenizer.fromText("hello"), 64);
 *   JSON.stringify(tokenizer); // tokenizer.json
 */
export function tokenizerFiles(tokenizer: Tokenizer, contextLength: number): TokenizerFiles {
  return { tokenizer: describe(tokenizer), config: configOf(tokenizer, contextLength) };
}

function describe(tokenizer: Tokenizer): TokenizerDescription {
  const { endOfText } = tokenizer;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: endOfText === null ? [] : [specialToken(endOfText, END_OF_TEXT)],
    normalizer: null,
    post_processor: endOfText === null ? null : startWithEndToken(endOfText),
    ...partsOf(tokenizer.toJSON()),
  };
}

type Parts = Pick<TokenizerDescription, "pre_tokenizer" | "decoder" | "model">;

function partsOf(data: TokenizerData): Parts {
  switch (data.kind) {
    case "char":
      return {
        // Every character is a separate word: short words fit the caches of the libraries.
        pre_tokenizer: { type: "Split", pattern: { Regex: "[\\s\\S]" }, behavior: "Isolated", invert: false },
        // Without it, the libraries put spaces between tokens.
        decoder: { type: "Fuse" },
        model: bpeModel(idsOf(Array.from(data.characters)), [], UNKNOWN),
      };
    case "byte":
      return byteLevel(spelledMerges([]).tokens, []);
    case "bpe":
      return byteLevelMerges(data);
    default:
      throw new ConfigError(
        `a tokenizer of the kind ${JSON.stringify(data)} cannot be written for Hugging Face's libraries`,
      );
  }
}

/** Words are as in text/bpe/split-words.ts: the libraries' names for white space differ between languages. */
function byteLevelMerges({ merges }: Extract<TokenizerData, { kind: "bpe" }>): Parts {
  const { tokens, merges: spelled } = spelledMerges(merges);
  const words = { type: "Split", pattern: { Regex: WORD_PATTERN }, behavior: "Isolated", invert: false };
  const parts = byteLevel(tokens, spelled);
  return { ...parts, pre_tokenizer: { type: "Sequence", pretokenizers: [words, parts.pre_tokenizer] } };
}

/** Tokens are sequences of bytes, in GPT-2's spelling. */
function byteLevel(tokens: readonly string[], merges: BPEModel["merges"]): Parts {
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  return { pre_tokenizer: bytes, decoder: bytes, model: bpeModel(idsOf(tokens), merges, null) };
}

function bpeModel(
  vocab: Readonly<Record<string, number>>,
  merges: BPEModel["merges"],
  unknown: string | null,
): BPEModel {
  return {
    type: "BPE",
    dropout: null,
    unk_token: unknown,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab,
    merges,
  };
}

function idsOf(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

/** A token that a text can name, and that a decoded text can leave out. */
export function specialToken(id: number, content: string): AddedToken {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
}

/** Every document of the training text follows the end of another. */
function startWithEndToken(id: number): Part {
  const start = { SpecialToken: { id: END_OF_TEXT, type_id: 0 } };
  const [first, second] = ["A", "B"].map((name) => [start, { Sequence: { id: name, type_id: 0 } }]);
  return {
    type: "TemplateProcessing",
    single: first,
    pair: [...first, ...second],
    special_tokens: { [END_OF_TEXT]: { id: END_OF_TEXT, ids: [id], tokens: [END_OF_TEXT] } },
  };
}

function configOf({ endOfText }: Tokenizer, contextLength: number): Record<string, unknown> {
  const special = endOfText === null ? [] : ["bos_token", "eos_token", "pad_token"];
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_max_length: contextLength,
    ...Object.fromEntries(special.map((name) => [name, END_OF_TEXT])),
    // transformers.js asks for special tokens only if this is set.
    add_bos_token: endOfText !== null,
    // Otherwise the libraries remove spaces before punctuation.
    clean_up_tokenization_spaces: false,
    // No token types: decoders have no input for them.
    model_input_names: ["input_ids", "attention_mask"],
    // A prompt ends where its continuation starts.
    padding_side: "left",
  };
}
