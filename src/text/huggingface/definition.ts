/**
 * The tokenizer.json files that are accepted: byte-pair encoding with the parts that JavaScript computes exactly as
 * Hugging Face's Rust library does. Everything else is refused by name, because a part that was ignored would give
 * other ids.
 */
import * as z from "zod/mini";
import { TokenError } from "../../errors.ts";
import { printableJson } from "../../util/printable.ts";
import {
  type DecoderPart,
  decoderPart,
  type NormalizerPart,
  normalizerPart,
  type PreTokenizerPart,
  postProcessorPart,
  preTokenizerPart,
  type TemplateStart,
} from "./parts.ts";

/** Vocabularies of today have at most 300,000 tokens, and SentencePiece's two merges per token. */
const MOST = 1 << 20;
const LONGEST_TOKEN = 1000;
/** Parts in parts; no tokenizer has more than one level. */
const DEEPEST = 4;

const addedToken = z.strictObject({
  id: z.int().check(z.minimum(0), z.lt(MOST)),
  content: z.string().check(z.minLength(1), z.maxLength(LONGEST_TOKEN)),
  single_word: z.literal(false),
  lstrip: z.literal(false),
  rstrip: z.literal(false),
  normalized: z.boolean(),
  special: z.boolean(),
});
export type AddedToken = z.infer<typeof addedToken>;

const model = z.strictObject({
  type: z.optional(z.literal("BPE")),
  dropout: z._default(z.nullable(z.literal(0)), null),
  unk_token: z._default(z.nullable(z.string()), null),
  continuing_subword_prefix: z.optional(z.nullable(z.literal(""))),
  end_of_word_suffix: z.optional(z.nullable(z.literal(""))),
  fuse_unk: z._default(z.boolean(), false),
  byte_fallback: z._default(z.boolean(), false),
  ignore_merges: z._default(z.boolean(), false),
  // Checked one by one below: the validator takes long for a million of them.
  vocab: z.custom<object>(isObject, "must be an object"),
  merges: z.array(z.unknown()).check(z.maxLength(MOST)),
});

const layout = z.strictObject({
  version: z.optional(z.string()),
  // A program sets these two when it calls the tokenizer.
  truncation: z.optional(z.unknown()),
  padding: z.optional(z.unknown()),
  added_tokens: z._default(z.array(addedToken).check(z.maxLength(MOST)), []),
  normalizer: z.optional(z.unknown()),
  pre_tokenizer: z.optional(z.unknown()),
  post_processor: z.optional(z.unknown()),
  decoder: z.optional(z.unknown()),
  model,
});

/** A tokenizer.json that was checked. */
export interface TokenizerDefinition {
  readonly added: readonly AddedToken[];
  readonly normalizers: readonly NormalizerPart[];
  readonly preTokenizers: readonly PreTokenizerPart[];
  readonly decoders: readonly DecoderPart[];
  /** The token that precedes a text, if the file asks for one. */
  readonly first: string | null;
  /** The ids of the tokens, without the added ones. */
  readonly vocab: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [string, string])[];
  readonly unknown: string | null;
  readonly fuseUnknown: boolean;
  readonly byteFallback: boolean;
  readonly ignoreMerges: boolean;
}

/**
 * Checks the contents of a tokenizer.json.
 *
 * @throws TokenError that names what is not accepted
 */
export function parseDefinition(json: unknown): TokenizerDefinition {
  const type =
    isObject(json) && "model" in json && isObject(json.model) && "type" in json.model
      ? json.model.type
      : "BPE";
  if (type !== "BPE")
    throw new TokenError(
      `tokenizer.json: only byte-pair encoding is read, \`model.type\` "BPE": got ${brief(type)}`,
    );
  const result = layout.safeParse(json);
  if (!result.success) throw refusal("tokenizer.json", json, result.error.issues[0]);
  const { added_tokens, normalizer, pre_tokenizer, post_processor, decoder, model } = result.data;
  const processors = parts(postProcessorPart, post_processor, "post_processor", "processors");
  return {
    added: added_tokens,
    normalizers: parts(normalizerPart, normalizer, "normalizer", "normalizers"),
    preTokenizers: parts(preTokenizerPart, pre_tokenizer, "pre_tokenizer", "pretokenizers"),
    decoders: parts(decoderPart, decoder, "decoder", "decoders"),
    first: firstToken(processors.flatMap((part) => (part.type === "ByteLevel" ? [] : part.single))),
    ...checkTokens(model.vocab, model.merges, added_tokens),
    unknown: model.unk_token,
    fuseUnknown: model.fuse_unk,
    byteFallback: model.byte_fallback,
    ignoreMerges: model.ignore_merges,
  };
}

/** The parts of a sequence, or the one part; none for null. */
function parts<Part extends z.ZodMiniType>(
  layout: Part,
  value: unknown,
  name: string,
  list: string,
  depth = 0,
): z.infer<Part>[] {
  if (value === undefined || value === null) return [];
  if (isObject(value) && "type" in value && value.type === "Sequence") {
    const inside = Object.entries(value).find(([key]) => key === list)?.[1];
    if (!Array.isArray(inside) || depth === DEEPEST)
      throw new TokenError(`tokenizer.json: \`${name}\` is not a list of parts: got ${brief(value)}`);
    return inside.flatMap((part) => parts(layout, part, name, list, depth + 1));
  }
  const result = layout.safeParse(value);
  if (result.success) return [result.data];
  throw refusal(`tokenizer.json: \`${name}\``, value, result.error.issues[0]);
}

function firstToken(template: readonly TemplateStart[]): string | null {
  const [start] = template;
  return start !== undefined && "SpecialToken" in start ? start.SpecialToken.id : null;
}

function checkTokens(
  vocab: object,
  merges: readonly unknown[],
  added: readonly AddedToken[],
): Pick<TokenizerDefinition, "vocab" | "merges"> {
  const tokens = new Map<string, number>();
  const ids = new Map<number, string>();
  for (const [token, id] of Object.entries(vocab)) {
    if (!Number.isInteger(id) || id < 0 || id >= MOST)
      throw new TokenError(
        `tokenizer.json: the id of ${brief(token)} should be 0 … ${MOST - 1}: got ${brief(id)}`,
      );
    const other = ids.get(id);
    if (other !== undefined)
      throw new TokenError(`tokenizer.json: ${brief(other)} and ${brief(token)} have the same id, ${id}`);
    tokens.set(token, id);
    ids.set(id, token);
  }
  for (const { id, content } of added) {
    const other = ids.get(id) ?? content;
    if (other !== content || (tokens.get(content) ?? id) !== id)
      throw new TokenError(
        `tokenizer.json: the added token ${brief(content)} and ${brief(other)} have the same id, ${id}, or one has two`,
      );
    ids.set(id, content);
  }
  return { vocab: tokens, merges: merges.map((merge) => checkMerge(merge, tokens)) };
}

function checkMerge(merge: unknown, tokens: ReadonlyMap<string, number>): [string, string] {
  const pair: readonly unknown[] =
    typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
  const [first, second] = pair;
  if (pair.length !== 2 || typeof first !== "string" || typeof second !== "string")
    throw new TokenError(
      `tokenizer.json: a merge should be two tokens, such as "t h" or ["t", "h"]: got ${brief(merge)}`,
    );
  for (const token of [first, second, first + second])
    if (!tokens.has(token))
      throw new TokenError(
        `tokenizer.json: the merge ${brief(merge)} needs the token ${brief(token)}, which is not in the vocabulary`,
      );
  return [first, second];
}

function refusal(where: string, value: unknown, issue: z.core.$ZodIssue): TokenError {
  const at = issue.path.map(String).join(".");
  const found: unknown = issue.path.reduce<unknown>(
    (inside, key) =>
      isObject(inside) ? Object.entries(inside).find(([name]) => name === String(key))?.[1] : undefined,
    value,
  );
  const field = at === "" ? "" : `\`${at}\`: `;
  return new TokenError(`${where}: ${field}${reasonOf(issue)}: got ${brief(found)}`);
}

function reasonOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return `the field ${issue.keys.map((key) => brief(key)).join(", ")} is not known, and might change the ids`;
    case "invalid_value":
      return `only ${issue.values.map((value) => brief(value)).join(" or ")} is read`;
    case "invalid_union":
      return "this is not one of the parts that are read";
    case "custom":
      return issue.message;
    default:
      return "this is not what is read here";
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value for a message, shortened if it is long. */
function brief(value: unknown): string {
  const text = printableJson(value === undefined ? null : value);
  return text.length <= 160 ? text : `${text.slice(0, 157)}…`;
}
