/** The parts of a tokenizer.json around its model: what is done to a text before it, and to tokens after it. */
import * as z from "zod/mini";
import { isLinearPattern } from "./linear-pattern.ts";

const LOWER_ONE_EIGHTH_BLOCK = "▁";

const linear = z
  .string()
  .check(
    z.refine(
      isLinearPattern,
      "only patterns that are known to match in time proportional to the text are read",
    ),
  );
const pattern = z.union([
  z.strictObject({ String: z.string().check(z.minLength(1)) }),
  z.strictObject({ Regex: linear }),
]);

export const normalizerPart = z.discriminatedUnion("type", [
  z.strictObject({ type: z.enum(["NFC", "NFD", "NFKC", "NFKD"]) }),
  z.strictObject({ type: z.literal("Replace"), pattern, content: z.string() }),
  z.strictObject({ type: z.literal("Prepend"), prepend: z.string() }),
]);
export type NormalizerPart = z.infer<typeof normalizerPart>;

const byteLevel = z.strictObject({
  type: z.literal("ByteLevel"),
  add_prefix_space: z._default(z.boolean(), true),
  trim_offsets: z.optional(z.boolean()),
  use_regex: z._default(z.boolean(), true),
});
const metaspace = z.strictObject({
  type: z.literal("Metaspace"),
  replacement: z.literal(LOWER_ONE_EIGHTH_BLOCK),
  str_rep: z.optional(z.literal(LOWER_ONE_EIGHTH_BLOCK)),
  add_prefix_space: z.optional(z.boolean()),
  prepend_scheme: z._default(z.enum(["always", "first", "never"]), "always"),
  split: z.literal(false),
});

export const preTokenizerPart = z.discriminatedUnion("type", [
  byteLevel,
  metaspace,
  z
    .strictObject({
      type: z.literal("Split"),
      pattern,
      behavior: z.enum(["Isolated", "Removed"]),
      invert: z.boolean(),
    })
    .check(
      z.refine(
        ({ behavior, invert }) => !invert || behavior === "Removed",
        "an inverted Split is only read if it removes what is between the matches",
      ),
    ),
  z.strictObject({ type: z.literal("Digits"), individual_digits: z._default(z.boolean(), false) }),
  z.strictObject({ type: z.enum(["Whitespace", "WhitespaceSplit"]) }),
]);
export type PreTokenizerPart = z.infer<typeof preTokenizerPart>;

const specialToken = z.object({ SpecialToken: z.object({ id: z.string() }) });
const sequence = z.object({ Sequence: z.object({ id: z.literal("A") }) });
export const postProcessorPart = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ByteLevel") }),
  z.object({
    type: z.literal("TemplateProcessing"),
    // A token after the text would end it before it is continued.
    single: z.union([z.tuple([sequence]), z.tuple([specialToken, sequence])]),
  }),
]);
export type TemplateStart = z.infer<typeof specialToken> | z.infer<typeof sequence>;

export const decoderPart = z.discriminatedUnion("type", [
  byteLevel,
  metaspace,
  z.strictObject({ type: z.literal("Fuse") }),
  z.strictObject({ type: z.literal("ByteFallback") }),
  z.strictObject({
    type: z.literal("Replace"),
    pattern: z.strictObject({ String: z.literal(LOWER_ONE_EIGHTH_BLOCK) }),
    content: z.literal(" "),
  }),
  z.strictObject({
    type: z.literal("Strip"),
    content: z.literal(" "),
    start: z.literal([0, 1]),
    stop: z.literal(0),
  }),
]);
export type DecoderPart = z.infer<typeof decoderPart>;
