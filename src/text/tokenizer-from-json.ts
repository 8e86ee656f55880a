/** Restores a tokenizer from the JSON that its `toJSON` returned, as when loading a saved run. */
import * as z from "zod/mini";
import { TokenError } from "../errors.ts";
import { IN_ENGLISH } from "../util/english.ts";
import { BpeTokenizer } from "./bpe/bpe-tokenizer.ts";
import { ByteTokenizer } from "./byte-tokenizer.ts";
import { CharTokenizer } from "./char-tokenizer.ts";
import { HuggingFaceTokenizer } from "./huggingface-tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

const special = { endOfText: z.optional(z.literal(true)) };
const tokenizerData = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("byte"), ...special }),
  z.strictObject({ kind: z.literal("char"), characters: z.string(), ...special }),
  z.strictObject({ kind: z.literal("bpe"), merges: z.array(z.string()), ...special }),
  z.strictObject({
    kind: z.literal("huggingface"),
    definition: z.string(),
    vocabSize: z.int(),
    endOfText: z.nullable(z.int()),
  }),
]);

/** @throws TokenError if `data` does not describe a tokenizer */
export function tokenizerFromJSON(data: unknown): Tokenizer {
  const parsed = tokenizerData.safeParse(data, IN_ENGLISH);
  if (!parsed.success) {
    throw new TokenError(
      `tokenizer: expected \`kind\` byte, char, bpe or huggingface, and its data: ${z.prettifyError(parsed.error)}`,
    );
  }
  if (parsed.data.kind === "huggingface") return new HuggingFaceTokenizer(parsed.data);
  if (parsed.data.kind === "byte") return new ByteTokenizer(parsed.data);
  if (parsed.data.kind === "bpe") return BpeTokenizer.fromJSON(parsed.data);
  return new CharTokenizer(parsed.data.characters, parsed.data);
}
