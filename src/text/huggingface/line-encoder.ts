/** Encodes a long text line by line, where the ids are those of the whole text. */
import type { StreamingTextEncoder } from "../tokenizer.ts";
import type { TokenizerDefinition } from "./definition.ts";

/** Enough for the library to work at full speed. */
const LEAST = 1 << 16;
/** These tokenizers never join a line break with the letter after it. */
const BREAK = /\n(?=[A-Za-z])/g;
const TEXT_FREE = new Set(["NFC", "NFD", "NFKC", "NFKD"]);

/** Encodes pieces of a text as soon as it is certain that the rest does not change their ids. */
export function lineEncoder(
  definition: TokenizerDefinition,
  encode: (text: string) => Int32Array,
): StreamingTextEncoder {
  const separable = endsWordsAtLines(definition);
  let held = "";
  return {
    push: (text) => {
      held += text;
      const end = separable && held.length >= LEAST ? lastBreak(held) : 0;
      if (end === 0) return [];
      const ids = encode(held.slice(0, end));
      held = held.slice(end);
      return ids;
    },
    end: () => {
      const ids = encode(held);
      held = "";
      return ids;
    },
  };
}

/** Whether a new word begins at each letter after a line break: so it is in GPT-2, and in patterns made after it. */
function endsWordsAtLines({ normalizers, preTokenizers, added }: TokenizerDefinition): boolean {
  if (!normalizers.every(({ type }) => TEXT_FREE.has(type))) return false;
  if (added.some(({ content }) => /\n[A-Za-z]/.test(content))) return false;
  const splits = preTokenizers.map((part) => {
    if (part.type === "Digits") return "digits";
    if (part.type === "ByteLevel" && !part.add_prefix_space) return part.use_regex ? "words" : "bytes";
    return part.type === "Split" &&
      part.behavior === "Isolated" &&
      "Regex" in part.pattern &&
      WORDS.has(part.pattern.Regex)
      ? "words"
      : "unknown";
  });
  return splits.includes("words") && !splits.includes("unknown");
}

/** The patterns of GPT-4, Llama 3 and Qwen. */
const WORDS: ReadonlySet<string> = new Set(
  [String.raw`\p{N}{1,3}`, String.raw`\p{N}`].map(
    (digits) =>
      String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|` +
      digits +
      String.raw`| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  ),
);

function lastBreak(text: string): number {
  let end = 0;
  for (const { index } of text.matchAll(BREAK)) end = index + 1;
  return end;
}
