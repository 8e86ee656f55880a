/**
 * What each setting means: shown by `--help`, by editors and in the documentation. It is apart from the table of settings
 * because the page, which shows none of it, should not load it.
 */
import type { SettingName } from "./settings.ts";

export interface SettingHelp {
  readonly help: string;
  /** The unit of a number; omitted for a plain number. */
  readonly unit?: string;
}

export const SETTING_HELP: Readonly<Record<SettingName, SettingHelp>> = {
  model: { help: "gpt continues text, encoder fills in blanks, seq2seq maps one string to another" },
  task: { help: "task a seq2seq model is trained on" },
  layers: { help: "Transformer blocks; for seq2seq, in the encoder and in the decoder" },
  heads: { help: "attention heads per layer; must divide the model width, unless `headSize` is given" },
  kvHeads: {
    help: "heads of keys and values, each shared by a group of query heads (grouped-query attention); 0 means one for each of `heads`",
  },
  headSize: { help: "size of a head; 0 means model width / heads", unit: "channels" },
  dModel: { help: "model width: size of the residual stream", unit: "channels" },
  contextLength: { help: "longest sequence the model sees", unit: "tokens" },
  dropout: { help: "dropout probability during training" },
  bias: { help: "biases in linear layers and norms" },
  activation: {
    help: "MLP activation: exact GELU, its tanh approximation, squared ReLU, or SwiGLU, which adds a third matrix",
  },
  mlpWidth: {
    help: "size of the MLP's hidden layer; 0 means 4 times the model width, or 8/3 times with swiglu",
    unit: "channels",
  },
  positions: {
    help: "learned position embeddings, rotary (RoPE), or none; rotary is limited to the context length too, because longer distances are not trained",
  },
  ropeBase: { help: "base of the angles of rotary positions; models with a long context have a larger one" },
  norm: { help: "LayerNorm, or RMSNorm, which does not subtract the mean" },
  normEpsilon: { help: "the norms' ε, which avoids division by 0" },
  normWeights: { help: "learned scale for each channel in norms" },
  qkNorm: { help: "normalize the queries and keys of each head" },
  qkNormWeights: { help: "learned scale for each channel of a head in that norm; needs `qkNorm`" },
  zeroInit: { help: "initialize the blocks' output weights to 0, so each block starts as the identity" },
  tieHead: { help: "share the token embedding's weights with the output head" },
  bigram: { help: "add an embedding of each pair of adjacent tokens; hashed beyond 131,072 pairs" },
  logitCap: { help: "soft limit on the magnitude of logits; 0 means no limit" },
  attention: {
    help: "one fast kernel, or the textbook formula from plain ops: the same numbers but for the last bits",
  },
  tokenizer: {
    help: "tokens are the characters of the corpus, UTF-8 bytes, or byte pairs (BPE): frequent sequences of bytes, learned from the part of the text to train on; huggingface is the tokenizer of an imported model",
  },
  vocabSize: { help: "size of the vocabulary of tokenizer bpe: 256 bytes and the rest", unit: "tokens" },
  alphabetSize: { help: "number of letters in the alphabet, starting at a", unit: "letters" },
  minLength: { help: "shortest training string", unit: "letters" },
  maxLength: { help: "longest string the model sees", unit: "letters" },

  batchSize: { help: "windows (for seq2seq, strings) per batch", unit: "windows" },
  documents: {
    help: "what the text consists of, such as names, tunes or messages: each line, paragraph (up to an empty line) or file is a document, and an end token follows it, which the model learns; none: one text. Windows may span several documents",
  },
  minCount: {
    help: "leave characters that occur less often out of the vocabulary and of the text; above 1, `unknown` is drop",
    unit: "occurrences",
  },
  split: {
    help: "what to validate with. tail: the last tenth of the text; shuffle: a tenth of the documents from anywhere in it, the same ones for every seed",
  },
  windows: {
    help: "random: drawn from anywhere in the training split; epochs: every token at most once per epoch",
  },
  steps: { help: "training steps in total", unit: "steps" },
  optimizer: { help: "muon updates the matrices inside blocks, and leaves the rest to AdamW" },
  muonLearningRate: { help: "Muon's peak learning rate, after warm-up" },
  muonMomentum: { help: "Muon's momentum" },
  muonWeightDecay: { help: "Muon's decoupled weight decay, on the matrices inside blocks" },
  learningRate: { help: "peak learning rate, after warm-up" },
  minLearningRate: { help: "learning rate at the end of the schedule" },
  schedule: { help: "learning rate after warm-up; trapezoid holds it, then decays linearly" },
  cooldown: { help: "fraction of the steps after warm-up in which trapezoid decays" },
  warmupSteps: { help: "length of the linear warm-up of the learning rate", unit: "steps" },
  weightDecay: {
    help: "AdamW's decoupled weight decay, on matrices and embeddings; with muon, only on those outside blocks",
  },
  beta1: { help: "AdamW's β₁: decay rate of the first moment" },
  beta2: { help: "AdamW's β₂: decay rate of the second moment" },
  epsilon: { help: "AdamW's ε, which avoids division by 0" },
  gradClip: { help: "maximum gradient norm; 0 turns clipping off" },
  skipSpikes: {
    help: "skip updates whose gradient norm exceeds this multiple of the recent median; 0 skips none",
  },
  gradAccumulation: { help: "batches per update", unit: "batches" },
  checkpointActivations: {
    help: "keep only the input of each block in a training step, and compute the rest again for the gradients: less memory, about a third more time, the same weights",
  },
  shardOptimizer: {
    help: "share out the optimizer's state among the processes that train together: less memory for each, the same weights; Muon does so by itself if tensors allow",
  },
  averageSteps: {
    help: "evaluate and save the weights averaged over about this many steps; 0 uses the newest",
    unit: "steps",
  },
  evalInterval: { help: "interval between evaluations", unit: "steps" },
  patience: {
    help: "stop after this many evaluations of the whole split without a lower validation loss; 0 never stops early",
    unit: "evaluations",
  },
  evalBatches: { help: "random batches in a quick loss estimate", unit: "batches" },
  measureTokens: {
    help: "maximum number of validation tokens in a full evaluation; a longer split is sampled with a fixed set of windows",
    unit: "tokens",
  },
  checkpointInterval: { help: "interval between checkpoints", unit: "steps" },
  keepCheckpoints: {
    help: "newest checkpoints to keep; the latest and the best are always kept",
    unit: "checkpoints",
  },
  unknown: {
    help: "when fine-tuning, how to handle characters the tokenizer does not know; byte needs a byte tokenizer",
  },
  seed: { help: "random seed" },
};
