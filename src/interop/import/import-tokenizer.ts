/** The tokenizer of a model from elsewhere, as the kind of nopeek's that it is, or as one of Hugging Face's. */
import { CheckpointError, NopeekError } from "../../errors.ts";
import type { Files } from "../../run/files.ts";
import { BpeTokenizer } from "../../text/bpe/bpe-tokenizer.ts";
import { ByteTokenizer } from "../../text/byte-tokenizer.ts";
import { CharTokenizer } from "../../text/char-tokenizer.ts";
import { HuggingFaceTokenizer } from "../../text/huggingface-tokenizer.ts";
import type { SpecialTokens, Tokenizer } from "../../text/tokenizer.ts";
import { tokenizerFromJSON } from "../../text/tokenizer-from-json.ts";
import { joinPath } from "../../util/paths.ts";
import { tokenizerFiles } from "../tokenizer-json.ts";
import { readJSON, readOptionalJSON, TOKENIZER } from "./folder.ts";

export interface ImportedTokenizer {
  readonly tokenizer: Tokenizer;
  readonly remarks: readonly string[];
}

/**
 * Reads the tokenizer of a folder.
 *
 * @param vocabSize how many tokens the model knows
 * @param config    config.json, which may name the end token
 * @throws CheckpointError or TokenError if there is none, or it is not accepted
 */
export function readTokenizer(
  files: Files,
  folder: string,
  vocabSize: number,
  config: unknown,
): ImportedTokenizer {
  const file = joinPath(folder, TOKENIZER);
  if (!files.exists(file))
    throw new CheckpointError(
      `${folder}: has no ${TOKENIZER}, and a model without its vocabulary understands no text; write it with AutoTokenizer.from_pretrained(…).save_pretrained(…)`,
    );
  const json = readJSON(files, file);
  const own = isOwnData(json) ? tokenizerFromJSON(json) : ownTokenizer(json);
  if (own !== null) {
    if (own.vocabSize === vocabSize) return { tokenizer: own, remarks: [] };
    if (isOwnData(json))
      throw new CheckpointError(
        `${file}: has ${own.vocabSize} tokens, and config.json says \`vocab_size\` ${vocabSize}`,
      );
  }
  const settings = readOptionalJSON(files, joinPath(folder, "tokenizer_config.json"));
  const generation = readOptionalJSON(files, joinPath(folder, "generation_config.json"));
  const ends =
    [field(generation, "eos_token_id"), field(config, "eos_token_id")]
      .map(idsOf)
      .find((ids) => ids.length > 0) ?? [];
  const named = tokenId(json, field(settings, "eos_token"));
  const endOfText = named !== null && (ends.length === 0 || ends.includes(named)) ? named : (ends[0] ?? null);
  const others = ends.filter((id) => id !== endOfText);
  const data = { kind: "huggingface", definition: JSON.stringify(json), vocabSize, endOfText } as const;
  const tokenizer = new HuggingFaceTokenizer(data);
  const remarks =
    others.length === 0
      ? []
      : [
          `texts end at token ${endOfText}; generation_config.json names ${others.join(", ")} too, at which they do not end here`,
        ];
  return { tokenizer, remarks };
}

/** A tokenizer.json that holds nopeek's own data, as in its config.json. */
function isOwnData(json: unknown): boolean {
  return typeof field(json, "kind") === "string";
}

/** The tokenizer of nopeek whose export this is; null if there is none. */
function ownTokenizer(json: unknown): Tokenizer | null {
  const ends = field(json, "added_tokens");
  if (!Array.isArray(ends) || ends.length > 1) return null;
  const special: SpecialTokens = ends.length === 1 ? { endOfText: true } : {};
  const exported = canonical(json);
  for (const make of [byteTokenizer, charTokenizer, bpeTokenizer]) {
    const tokenizer = attempt(() => make(json, special));
    if (tokenizer !== null && canonical(tokenizerFiles(tokenizer, 1).tokenizer) === exported)
      return tokenizer;
  }
  return null;
}

function byteTokenizer(_: unknown, special: SpecialTokens): Tokenizer {
  return new ByteTokenizer(special);
}

function charTokenizer(json: unknown, special: SpecialTokens): Tokenizer {
  return new CharTokenizer(tokensOf(json).join(""), special);
}

function bpeTokenizer(json: unknown, special: SpecialTokens): Tokenizer {
  const ids = new Map(tokensOf(json).map((token, id) => [token, id]));
  const merges = field(field(json, "model"), "merges");
  if (!Array.isArray(merges)) return new ByteTokenizer(special);
  const pairs = merges.map((pair) =>
    Array.isArray(pair) ? pair.map((token) => ids.get(token)).join(" ") : "",
  );
  return BpeTokenizer.fromJSON({ kind: "bpe", merges: pairs, ...special });
}

/** The tokens in the order of their ids. */
function tokensOf(json: unknown): string[] {
  const vocab = field(field(json, "model"), "vocab");
  const entries = Object.entries(vocab ?? {}).sort(([, a], [, b]) => Number(a) - Number(b));
  return entries.map(([token]) => token);
}

function attempt(make: () => Tokenizer): Tokenizer | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof NopeekError) return null;
    throw error;
  }
}

/** JSON with the keys in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inside: unknown) =>
    typeof inside === "object" && inside !== null && !Array.isArray(inside)
      ? Object.fromEntries(Object.entries(inside).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inside,
  );
}

function tokenId(json: unknown, named: unknown): number | null {
  const content = typeof named === "string" ? named : field(named, "content");
  const added = field(json, "added_tokens");
  const found: unknown = Array.isArray(added)
    ? added.find((token) => field(token, "content") === content)
    : undefined;
  const id =
    field(found, "id") ??
    (typeof content === "string" ? field(field(field(json, "model"), "vocab"), content) : null);
  return typeof id === "number" ? id : null;
}

function idsOf(value: unknown): number[] {
  return [value].flat().filter((id) => typeof id === "number");
}

/** A member of an object from JSON; undefined if there is none. */
function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? new Map(Object.entries(value)).get(name)
    : undefined;
}
