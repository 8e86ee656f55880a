/** Generated from settings-table.ts and setting-help.ts by scripts/settings-type.ts. */

/** The settings of a run. */
export type Settings = {
  /** gpt continues text, encoder fills in blanks, seq2seq maps one string to another. Default: gpt. */
  readonly model: "gpt" | "encoder" | "seq2seq";
  /** Task a seq2seq model is trained on. For seq2seq only. Default: reverse. */
  readonly task: "reverse" | "sort";
  /** Transformer blocks; for seq2seq, in the encoder and in the decoder. Default: 4. */
  readonly layers: number;
  /** Attention heads per layer; must divide the model width, unless `headSize` is given. Default: 4. */
  readonly heads: number;
  /**
   * Heads of keys and values, each shared by a group of query heads (grouped-query attention); 0 means
   * one for each of `heads`. Default: 0.
   */
  readonly kvHeads: number;
  /** Size of a head; 0 means model width / heads. Default: 0 channels. */
  readonly headSize: number;
  /** Model width: size of the residual stream. Default: 128 channels. */
  readonly dModel: number;
  /** Longest sequence the model sees. For gpt and encoder only. Default: 64 tokens. */
  readonly contextLength: number;
  /** Dropout probability during training. Default: 0. */
  readonly dropout: number;
  /** Biases in linear layers and norms. Default: true. */
  readonly bias: boolean;
  /**
   * MLP activation: exact GELU, its tanh approximation, squared ReLU, or SwiGLU, which adds a third
   * matrix. Default: gelu.
   */
  readonly activation: "gelu" | "gelu-tanh" | "relu2" | "swiglu";
  /**
   * Size of the MLP's hidden layer; 0 means 4 times the model width, or 8/3 times with swiglu. Default:
   * 0 channels.
   */
  readonly mlpWidth: number;
  /**
   * learned position embeddings, rotary (RoPE), or none; rotary is limited to the context length too,
   * because longer distances are not trained. Default: learned.
   */
  readonly positions: "learned" | "rotary" | "none";
  /**
   * Base of the angles of rotary positions; models with a long context have a larger one. Default:
   * 10000.
   */
  readonly ropeBase: number;
  /** LayerNorm, or RMSNorm, which does not subtract the mean. Default: layer. */
  readonly norm: "layer" | "rms";
  /** The norms' ε, which avoids division by 0. Default: 0.00001. */
  readonly normEpsilon: number;
  /** Learned scale for each channel in norms. Default: true. */
  readonly normWeights: boolean;
  /** Normalize the queries and keys of each head. Default: false. */
  readonly qkNorm: boolean;
  /** Learned scale for each channel of a head in that norm; needs `qkNorm`. Default: false. */
  readonly qkNormWeights: boolean;
  /** Initialize the blocks' output weights to 0, so each block starts as the identity. Default: false. */
  readonly zeroInit: boolean;
  /** Share the token embedding's weights with the output head. Default: true. */
  readonly tieHead: boolean;
  /**
   * Add an embedding of each pair of adjacent tokens; hashed beyond 131,072 pairs. For gpt only.
   * Default: false.
   */
  readonly bigram: boolean;
  /** Soft limit on the magnitude of logits; 0 means no limit. For gpt only. Default: 0. */
  readonly logitCap: number;
  /**
   * One fast kernel, or the textbook formula from plain ops: the same numbers but for the last bits.
   * Default: fused.
   */
  readonly attention: "fused" | "textbook";
  /**
   * Tokens are the characters of the corpus, UTF-8 bytes, or byte pairs (BPE): frequent sequences of
   * bytes, learned from the part of the text to train on; huggingface is the tokenizer of an imported
   * model. For gpt and encoder only. Default: char.
   */
  readonly tokenizer: "char" | "byte" | "bpe" | "huggingface";
  /**
   * Size of the vocabulary of tokenizer bpe: 256 bytes and the rest. For gpt and encoder only. Default:
   * 512 tokens.
   */
  readonly vocabSize: number;
  /** Number of letters in the alphabet, starting at a. For seq2seq only. Default: 10 letters. */
  readonly alphabetSize: number;
  /** Shortest training string. For seq2seq only. Default: 3 letters. */
  readonly minLength: number;
  /** Longest string the model sees. For seq2seq only. Default: 10 letters. */
  readonly maxLength: number;
  /** Windows (for seq2seq, strings) per batch. Default: 12 windows. */
  readonly batchSize: number;
  /**
   * What the text consists of, such as names, tunes or messages: each line, paragraph (up to an empty
   * line) or file is a document, and an end token follows it, which the model learns; none: one text.
   * Windows may span several documents. For gpt and encoder only. Default: none.
   */
  readonly documents: "none" | "lines" | "paragraphs" | "files";
  /**
   * Leave characters that occur less often out of the vocabulary and of the text; above 1, `unknown` is
   * drop. For gpt and encoder only. Default: 1 occurrences.
   */
  readonly minCount: number;
  /**
   * What to validate with. tail: the last tenth of the text; shuffle: a tenth of the documents from
   * anywhere in it, the same ones for every seed. For gpt and encoder only. Default: tail.
   */
  readonly split: "tail" | "shuffle";
  /**
   * random: drawn from anywhere in the training split; epochs: every token at most once per epoch. For
   * gpt and encoder only. Default: random.
   */
  readonly windows: "random" | "epochs";
  /** Training steps in total. Default: 2000 steps. */
  readonly steps: number;
  /** muon updates the matrices inside blocks, and leaves the rest to AdamW. Default: adamw. */
  readonly optimizer: "adamw" | "muon";
  /** Muon's peak learning rate, after warm-up. Default: 0.02. */
  readonly muonLearningRate: number;
  /** Muon's momentum. Default: 0.95. */
  readonly muonMomentum: number;
  /** Muon's decoupled weight decay, on the matrices inside blocks. Default: 0. */
  readonly muonWeightDecay: number;
  /** Peak learning rate, after warm-up. Default: 0.001. */
  readonly learningRate: number;
  /** Learning rate at the end of the schedule. Default: 0.0001. */
  readonly minLearningRate: number;
  /** Learning rate after warm-up; trapezoid holds it, then decays linearly. Default: cosine. */
  readonly schedule: "cosine" | "linear" | "constant" | "trapezoid";
  /** Fraction of the steps after warm-up in which trapezoid decays. Default: 0.4. */
  readonly cooldown: number;
  /** Length of the linear warm-up of the learning rate. Default: 100 steps. */
  readonly warmupSteps: number;
  /**
   * AdamW's decoupled weight decay, on matrices and embeddings; with muon, only on those outside blocks.
   * Default: 0.1.
   */
  readonly weightDecay: number;
  /** AdamW's β₁: decay rate of the first moment. Default: 0.9. */
  readonly beta1: number;
  /** AdamW's β₂: decay rate of the second moment. Default: 0.99. */
  readonly beta2: number;
  /** AdamW's ε, which avoids division by 0. Default: 1e-8. */
  readonly epsilon: number;
  /** Maximum gradient norm; 0 turns clipping off. Default: 1. */
  readonly gradClip: number;
  /**
   * Skip updates whose gradient norm exceeds this multiple of the recent median; 0 skips none. Default:
   * 0.
   */
  readonly skipSpikes: number;
  /** Batches per update. Default: 1 batches. */
  readonly gradAccumulation: number;
  /**
   * Keep only the input of each block in a training step, and compute the rest again for the gradients:
   * less memory, about a third more time, the same weights. Default: false.
   */
  readonly checkpointActivations: boolean;
  /**
   * Share out the optimizer's state among the processes that train together: less memory for each, the
   * same weights; Muon does so by itself if tensors allow. Default: false.
   */
  readonly shardOptimizer: boolean;
  /**
   * Evaluate and save the weights averaged over about this many steps; 0 uses the newest. Default: 0
   * steps.
   */
  readonly averageSteps: number;
  /** Interval between evaluations. Default: 250 steps. */
  readonly evalInterval: number;
  /**
   * Stop after this many evaluations of the whole split without a lower validation loss; 0 never stops
   * early. Default: 0 evaluations.
   */
  readonly patience: number;
  /** Random batches in a quick loss estimate. Default: 10 batches. */
  readonly evalBatches: number;
  /**
   * Maximum number of validation tokens in a full evaluation; a longer split is sampled with a fixed set
   * of windows. For gpt and encoder only. Default: 4000000 tokens.
   */
  readonly measureTokens: number;
  /** Interval between checkpoints. Default: 500 steps. */
  readonly checkpointInterval: number;
  /** Newest checkpoints to keep; the latest and the best are always kept. Default: 3 checkpoints. */
  readonly keepCheckpoints: number;
  /**
   * When fine-tuning, how to handle characters the tokenizer does not know; byte needs a byte tokenizer.
   * For gpt and encoder only. Default: reject.
   */
  readonly unknown: "reject" | "drop" | "byte";
  /** Random seed. Default: 1337. */
  readonly seed: number;
};
