/** The benchmarked models: decoders without biases or dropout and with exact GELU, as nanoGPT trains them. */

export interface Size {
  readonly layers: number;
  readonly heads: number;
  readonly dModel: number;
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly tieHead: boolean;
  /** Whether norms have a learned scale per channel. */
  readonly normWeights: boolean;
  readonly batchSize: number;
}

export const SIZES = {
  /** nanoGPT's setting for a CPU; the preset `shakespeare-cpu`. */
  nanogpt: {
    ...{ layers: 4, heads: 4, dModel: 128, contextLength: 64 },
    ...{ vocabSize: 65, tieHead: true, normWeights: true, batchSize: 12 },
  },
  medium: {
    ...{ layers: 6, heads: 6, dModel: 384, contextLength: 256 },
    ...{ vocabSize: 65, tieHead: true, normWeights: true, batchSize: 4 },
  },
  /** 51 million parameters, half of them GPT-2's vocabulary. */
  large: {
    ...{ layers: 8, heads: 8, dModel: 512, contextLength: 256 },
    ...{ vocabSize: 50_257, tieHead: true, normWeights: true, batchSize: 8 },
  },
  /** GPT-2 small, without its biases: 124 million parameters. */
  gpt2: {
    ...{ layers: 12, heads: 12, dModel: 768, contextLength: 1024 },
    ...{ vocabSize: 50_257, tieHead: true, normWeights: true, batchSize: 1 },
  },
  /** The 4,192 parameters of Karpathy's microgpt: 27 letters, an untied head, norms without scales. */
  tiny: {
    ...{ layers: 1, heads: 4, dModel: 16, contextLength: 16 },
    ...{ vocabSize: 27, tieHead: false, normWeights: false, batchSize: 8 },
  },
} as const satisfies Readonly<Record<string, Size>>;

export type SizeName = keyof typeof SIZES;

export function formatSize(size: Size): string {
  const { layers, heads, dModel, contextLength, batchSize } = size;
  return `${layers} layers, ${heads} heads, d-model ${dModel}, context ${contextLength}, batch ${batchSize}, ${countParameters(size).toLocaleString("en-US")} parameters`;
}

export function countParameters(size: Size): number {
  const { layers, dModel, contextLength, vocabSize, tieHead, normWeights } = size;
  const tables = (tieHead ? 1 : 2) * vocabSize + contextLength;
  const norms = normWeights ? 2 * layers + 1 : 0;
  return (tables + norms) * dModel + layers * 12 * dModel * dModel;
}
