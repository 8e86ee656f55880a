/** Presets: named groups of settings. Each lists the defaults it overrides. */

import { ConfigError } from "../errors.ts";
import { checkTypes } from "../util/check-types.ts";
import { nearest } from "../util/edit-distance.ts";
import type { Settings } from "./settings.ts";

export interface Preset {
  readonly settings: Partial<Settings>;
}

/** Shared by both toy tasks. */
const STRINGS: Partial<Settings> = {
  model: "seq2seq",
  alphabetSize: 10,
  minLength: 3,
  maxLength: 10,
  layers: 2,
  heads: 4,
  dModel: 64,
  batchSize: 32,
  steps: 1500,
  learningRate: 2e-3,
  minLearningRate: 1e-4,
  warmupSteps: 100,
  weightDecay: 0.01,
  evalInterval: 250,
  evalBatches: 4,
  checkpointInterval: 500,
};

/** Shared by modern and the presets whose models other programs can run. */
const MODERN: Partial<Settings> = {
  optimizer: "muon",
  muonLearningRate: 0.02,
  schedule: "linear",
  learningRate: 5e-3,
  minLearningRate: 0,
  warmupSteps: 20,
  positions: "rotary",
  norm: "rms",
  normWeights: false,
  qkNorm: true,
  activation: "swiglu",
  zeroInit: true,
  tieHead: false,
  bias: false,
  bigram: true,
  windows: "epochs",
};

const presets = {
  tales: {
    settings: {
      layers: 2,
      heads: 4,
      dModel: 64,
      contextLength: 512,
      positions: "rotary",
      activation: "swiglu",
      tieHead: false,
      bigram: true,
      batchSize: 1,
      windows: "epochs",
      steps: 5800,
      optimizer: "muon",
      muonLearningRate: 0.01,
      muonMomentum: 0.9,
      learningRate: 0.012,
      minLearningRate: 1e-4,
      schedule: "linear",
      warmupSteps: 50,
      weightDecay: 0.01,
      evalInterval: 1000,
      evalBatches: 20,
      checkpointInterval: 2000,
    },
  },
  "shakespeare-cpu": {
    settings: {
      layers: 4,
      heads: 4,
      dModel: 128,
      contextLength: 64,
      batchSize: 12,
      steps: 2000,
      learningRate: 1e-3,
      minLearningRate: 1e-4,
      warmupSteps: 100,
      weightDecay: 0.1,
      beta2: 0.99,
      bias: false,
    },
  },
  "gpt2-style": {
    settings: {
      optimizer: "adamw",
      schedule: "cosine",
      learningRate: 1e-3,
      minLearningRate: 1e-4,
      warmupSteps: 100,
      positions: "learned",
      norm: "layer",
      normWeights: true,
      qkNorm: false,
      activation: "gelu",
      zeroInit: false,
      tieHead: true,
      bias: true,
    },
  },
  modern: {
    settings: MODERN,
  },
  "modern-portable": {
    settings: { ...MODERN, bigram: false, qkNormWeights: true },
  },
  "llama-style": {
    settings: { ...MODERN, bigram: false, qkNorm: false, normWeights: true },
  },
  blanks: {
    settings: {
      model: "encoder",
      layers: 2,
      heads: 4,
      dModel: 64,
      contextLength: 64,
      activation: "gelu-tanh",
      tieHead: false,
      batchSize: 16,
      steps: 2000,
      optimizer: "muon",
      muonLearningRate: 0.02,
      learningRate: 0.01,
      minLearningRate: 1e-4,
      schedule: "linear",
      warmupSteps: 50,
      evalInterval: 500,
      checkpointInterval: 1000,
    },
  },
  reverse: {
    settings: { ...STRINGS, task: "reverse" },
  },
  sort: {
    settings: { ...STRINGS, task: "sort" },
  },
  tiny: {
    settings: {
      layers: 1,
      heads: 4,
      dModel: 16,
      contextLength: 16,
      batchSize: 8,
      steps: 500,
      learningRate: 1e-2,
    },
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof presets;
export const PRESETS: Readonly<Record<string, Preset>> = presets;

/**
 * The preset with this name.
 *
 * @throws ConfigError for an unknown name, suggesting the nearest known one
 * @example
 * const settings = resolveSettings(presetOf("tiny").settings, { steps: 100 });
 */
export function presetOf(name: string): Preset {
  checkTypes("presetOf", { name }, { name: "string" });
  if (Object.hasOwn(PRESETS, name)) return PRESETS[name];
  const names = Object.keys(PRESETS);
  throw new ConfigError(
    `there is no preset "${name}"; did you mean "${nearest(name, names)}"? There are: ${names.join(", ")}`,
  );
}
