/** The size of a model before it is built. */
import type { GPTConfig } from "./config.ts";
import { countBigramRows } from "./layers/bigram-embedding.ts";
import { hiddenSize } from "./layers/mlp.ts";

/** Rows of the token embedding behind the vocabulary's ([MASK]; [end] and [start]), and how many of them are scored. */
const OWN_TOKENS = { gpt: [0, 0], encoder: [1, 0], seq2seq: [2, 1] } as const;

/** How many numbers a model of this configuration trains. */
export function countParameters(config: GPTConfig, kind: keyof typeof OWN_TOKENS = "gpt"): number {
  const { vocabSize, contextLength, layers, dModel, bias, activation, tieHead, bigram } = config;
  const [rows, scores] = OWN_TOKENS[kind];
  const norm = (config.normWeights ? dModel : 0) + (bias && config.norm === "layer" ? dModel : 0);
  const attention = 4 * dModel * dModel + (bias ? 4 * dModel : 0);
  const hidden = hiddenSize(config);
  const inner = (activation === "swiglu" ? 2 : 1) * hidden;
  const mlp = (inner + hidden) * dModel + (bias ? inner + dModel : 0);
  const block = norm + attention + norm + mlp;
  const places = config.positions === "learned" ? contextLength * dModel : 0;
  const stack = places + layers * block + norm;
  const cross = layers * (norm + attention);
  const head = tieHead ? 0 : (vocabSize + scores) * dModel;
  const pairs = kind === "gpt" && bigram ? countBigramRows(vocabSize) * dModel : 0;
  return (vocabSize + rows) * dModel + pairs + stack + (kind === "seq2seq" ? stack + cross : 0) + head;
}
