/** Mutants of the GGUF export, and of tokenizers in other programs. */
import type { Mutant } from "./list.ts";

const vocabulary = {
  file: "src/interop/gguf/vocabulary.ts",
  tests: ["test/interop/gguf/vocabulary.test.ts"],
};
const exported = ["test/interop/gguf/export.test.ts"];
const tokenizers = { file: "src/interop/tokenizer-json.ts", tests: ["test/interop/tokenizer-json.test.ts"] };

export const gguf: readonly Mutant[] = [
  {
    promise: "GGUF: the end token is the model's",
    ...vocabulary,
    line: "const end = endOfText ?? endToken ?? unusedByte(tokenizer);",
    broken: "const end = endToken ?? unusedByte(tokenizer);",
  },
  {
    promise: "GGUF: merges build characters of several bytes",
    ...vocabulary,
    line: "spellBytes(bytes.subarray(0, i + 1))",
    broken: "spellBytes(bytes.subarray(i, i + 1))",
  },
  {
    promise: "GGUF: there is always a merge",
    ...vocabulary,
    line: "merges.length === 0 ? [NO_MERGE] : merges",
    broken: "merges",
  },
  {
    promise: "GGUF: every tensor is aligned",
    file: "src/interop/gguf/write.ts",
    line: "return Math.ceil(at / ALIGNMENT) * ALIGNMENT;",
    broken: "return at;",
    tests: ["test/interop/gguf/write.test.ts"],
  },
  {
    promise: "GGUF: channels are in the order in which llama.cpp rotates them",
    file: "src/interop/gguf/tensors.ts",
    line: "(channel % 2) * half + Math.floor(channel / 2)",
    broken: "channel",
    tests: exported,
  },
  {
    promise: "GGUF: Qwen3 keeps nopeek's order of channels",
    file: "src/interop/gguf/tensors.ts",
    line: 'architecture === "qwen3" ? LINEAR : ',
    broken: "",
    tests: exported,
  },
  {
    promise: "GGUF: an activation that llama.cpp lacks is refused",
    file: "src/interop/gguf/export.ts",
    line: 'activation === "relu2" ? [["activation", "gelu-tanh"]] : []',
    broken: "[]",
    tests: exported,
  },
  {
    promise: "tokenizer.json: unknown characters do not disappear",
    ...tokenizers,
    line: "[], UNKNOWN)",
    broken: "[], null)",
  },
  {
    promise: "tokenizer.json: no spaces between characters",
    ...tokenizers,
    line: 'decoder: { type: "Fuse" }',
    broken: 'decoder: { type: "BPEDecoder", suffix: " " }',
  },
  {
    promise: "tokenizer.json: no clean-up of spaces",
    ...tokenizers,
    line: "clean_up_tokenization_spaces: false",
    broken: "clean_up_tokenization_spaces: true",
  },
  {
    promise: "tokenizer.json: BPE splits words as nopeek does",
    ...tokenizers,
    line: "pretokenizers: [words, parts.pre_tokenizer]",
    broken: "pretokenizers: [{ ...parts.pre_tokenizer, use_regex: true }]",
  },
];
