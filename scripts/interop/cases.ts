/** The models: one for each row of the table of architectures in docs/interop.md. */

/** What a check reads: the formats of a GPT, or an encoder–decoder in the format hf. */
export type Format = "hf" | "onnx" | "gguf" | "seq2seq";

export interface Case {
  readonly name: string;
  /** Flags of `nopeek train`, added to `SHARED` if it is a GPT. Null for the bundled model. */
  readonly flags: string | null;
  /** Whether it learns the tales in other characters too: see respell.ts. */
  readonly respelled?: boolean;
  readonly formats: readonly Format[];
  /** The largest difference allowed for a claim, if it is not that of `LIMITS`. */
  readonly limits?: Readonly<Record<string, number>>;
}

/**
 * A few hundred steps of the tales: enough for greedy text in which each word depends on the ones before it. The last
 * flag of a name counts.
 */
export const SHARED =
  "--preset tales --context-length 256 --batch-size 2 --muon-momentum 0.95 --muon-learning-rate 0.02 --learning-rate 0.01 --weight-decay 0.1 --no-bigram --threads 1 --no-samples --steps 200 --eval-interval 200 --checkpoint-interval 2000";

const EVERYWHERE: readonly Format[] = ["hf", "onnx", "gguf"];

/**
 * llama.cpp has one GELU, the approximation by tanh from a table in half precision; half-gelu.ts computes it too. The
 * difference from that was up to 1.1e-5: an x that single precision rounds to another half than double precision does.
 */
export const HALF_GELU = { probability: 1e-3, "rounding of llama.cpp": 4e-5, "log probability": 5e-3 };

/** Rounding grows with the logits, and they with training and with the vocabulary: 2.1e-6 was measured. */
const LARGE_LOGITS = { probability: 4e-6 };

const LLAMA = "--positions rotary --norm rms --activation swiglu";

const SIZES = "--kv-heads 2 --head-size 8 --mlp-width 100";

const PORTABLE =
  "--preset modern-portable --data data/tales.txt --layers 2 --heads 4 --d-model 64 --context-length 256 --batch-size 2 --steps 800";

export const CASES: readonly Case[] = [
  {
    name: "gpt2",
    flags: "--positions learned --norm layer --activation gelu-tanh --tie-head",
    formats: EVERYWHERE,
    limits: HALF_GELU,
  },
  {
    name: "gpt2-gelu",
    flags: "--positions learned --norm layer --activation gelu",
    formats: EVERYWHERE,
    limits: HALF_GELU,
  },
  {
    name: "gpt2-relu2",
    flags: "--positions none --norm layer --activation relu2",
    formats: ["hf", "onnx"],
  },
  {
    name: "gpt-neox",
    flags: "--positions rotary --norm layer --activation gelu-tanh",
    formats: EVERYWHERE,
    limits: HALF_GELU,
  },
  // Trained longer, so that its text is close to that of the tales.
  { name: "llama", flags: `${LLAMA} --no-bias --steps 1000`, formats: EVERYWHERE, limits: LARGE_LOGITS },
  { name: "llama-bias", flags: `${LLAMA}`, formats: EVERYWHERE },
  { name: "qwen3", flags: `${LLAMA} --no-bias --qk-norm`, formats: EVERYWHERE },
  { name: "arcee", flags: "--positions rotary --norm rms --no-bias --activation relu2", formats: EVERYWHERE },
  {
    name: "smollm3",
    flags: "--positions none --norm rms --no-bias --activation swiglu",
    formats: ["hf", "onnx"],
  },
  {
    name: "olmo",
    flags: "--positions rotary --norm layer --no-norm-weights --no-bias --activation swiglu",
    formats: EVERYWHERE,
  },
  { name: "vaultgemma", flags: `${LLAMA} --no-bias --logit-cap 15`, formats: ["hf", "onnx"] },
  // Sizes that the presets do not have, each different from the others.
  {
    name: "sizes",
    flags: `${LLAMA} --no-bias ${SIZES} --rope-base 500 --norm-epsilon 0.01`,
    formats: EVERYWHERE,
  },
  {
    name: "qwen3-weights",
    flags: `${LLAMA} --no-bias --qk-norm --qk-norm-weights --kv-heads 1 --head-size 32 --rope-base 100000`,
    formats: EVERYWHERE,
  },
  // The other classes with the sizes that each of them takes.
  {
    name: "gpt2-sizes",
    flags:
      "--positions learned --norm layer --activation gelu-tanh --no-tie-head --mlp-width 100 --norm-epsilon 0.01",
    formats: ["hf", "onnx"],
  },
  {
    name: "gpt-neox-sizes",
    flags:
      "--positions rotary --norm layer --activation relu2 --mlp-width 100 --rope-base 500 --norm-epsilon 0.01",
    formats: ["hf", "onnx"],
  },
  {
    name: "arcee-sizes",
    flags: `--positions rotary --norm rms --no-bias --activation gelu ${SIZES} --rope-base 500 --norm-epsilon 0.01`,
    formats: ["hf", "onnx"],
  },
  {
    name: "smollm3-sizes",
    flags: `--positions none --norm rms --activation swiglu ${SIZES} --norm-epsilon 0.01`,
    formats: ["hf", "onnx"],
  },
  {
    name: "olmo-sizes",
    flags: `--positions rotary --norm layer --no-norm-weights --no-bias --activation swiglu ${SIZES} --rope-base 500`,
    formats: ["hf", "onnx"],
  },
  {
    name: "vaultgemma-sizes",
    flags: `${LLAMA} --no-bias --logit-cap 15 ${SIZES} --rope-base 500 --norm-epsilon 0.01`,
    formats: ["hf", "onnx"],
  },
  // The shipped model has bigrams, which only ONNX holds. This is the preset for all three formats, at its sizes.
  { name: "portable", flags: PORTABLE, formats: EVERYWHERE, limits: LARGE_LOGITS },
  { name: "characters", flags: `${LLAMA} --no-bias`, respelled: true, formats: EVERYWHERE },
  { name: "bytes", flags: `${LLAMA} --no-bias --tokenizer byte`, formats: EVERYWHERE },
  {
    name: "bpe",
    flags: `${LLAMA} --no-bias --tokenizer bpe --vocab-size 400`,
    formats: EVERYWHERE,
    limits: LARGE_LOGITS,
  },
  {
    name: "bpe-documents",
    flags: `${LLAMA} --no-bias --tokenizer bpe --documents lines`,
    formats: EVERYWHERE,
    limits: LARGE_LOGITS,
  },
  { name: "documents", flags: `${LLAMA} --no-bias --documents lines`, formats: EVERYWHERE },
  // No other library has these options.
  { name: "bigram", flags: "--bigram --qk-norm --logit-cap 15 --norm rms", formats: ["onnx"] },
  { name: "tales", flags: null, formats: ["onnx"] },
  { name: "seq2seq", flags: "--preset reverse --steps 400", formats: ["seq2seq"] },
  { name: "seq2seq-tanh", flags: "--preset sort --steps 200 --activation gelu-tanh", formats: ["seq2seq"] },
  {
    name: "seq2seq-other",
    flags:
      "--preset sort --steps 300 --positions none --activation relu2 --no-bias --no-norm-weights --mlp-width 100",
    formats: ["seq2seq"],
  },
];
