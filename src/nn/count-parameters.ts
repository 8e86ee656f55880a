/** The number of parameters of a model, computed before it is built. */
import { type GPTConfig, headSizeOf, kvChannelsOf } from "./config.ts";
import { countBigramRows } from "./layers/bigram-embedding.ts";
import { hiddenSize } from "./layers/mlp.ts";

/**
 * Special tokens after the vocabulary ([MASK]; [end] and [start]): rows of the token embedding, and how many of them
 * the head scores.
 */
const SPECIAL_TOKENS = { gpt: [0, 0], encoder: [1, 0], seq2seq: [2, 1] } as const;

/** The number of trained numbers in a model of this configuration. */
export function countParameters(config: GPTConfig, kind: keyof typeof SPECIAL_TOKENS = "gpt"): number {
  const { vocabSize, contextLength, layers, heads, dModel, bias, activation, tieHead, bigram } = config;
  const [rows, scores] = SPECIAL_TOKENS[kind];
  const norm = (config.normWeights ? dModel : 0) + (bias && config.norm === "layer" ? dModel : 0);
  const [queries, keys] = [heads * headSizeOf(config), kvChannelsOf(config)];
  const attention =
    2 * dModel * (queries + keys) +
    (bias ? queries + 2 * keys + dModel : 0) +
    (config.qkNormWeights ? 2 * headSizeOf(config) : 0);
  const hidden = hiddenSize(config);
  const inner = (activation === "swiglu" ? 2 : 1) * hidden;
  const mlp = (inner + hidden) * dModel + (bias ? inner + dModel : 0);
  const block = norm + attention + norm + mlp;
  const positions = config.positions === "learned" ? contextLength * dModel : 0;
  const transformer = positions + layers * block + norm;
  const cross = layers * (norm + attention);
  const head = tieHead ? 0 : (vocabSize + scores) * dModel;
  const bigrams = kind === "gpt" && bigram ? countBigramRows(vocabSize) * dModel : 0;
  return (
    (vocabSize + rows) * dModel +
    bigrams +
    transformer +
    (kind === "seq2seq" ? transformer + cross : 0) +
    head
  );
}
