/** Settings with a name. Each says what it replaces in the table of settings. */
import { ConfigError } from "../errors.ts";
import { nearest } from "../util/edit-distance.ts";
import type { Settings } from "./settings.ts";

export interface Preset {
  readonly help: string;
  readonly settings: Partial<Settings>;
}

/** What both toy tasks share. */
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

export const PRESETS: Readonly<Record<string, Preset>> = {
  tales: {
    help: "the embedded tales, in about a minute on a laptop",
    settings: {
      layers: 2,
      heads: 4,
      dModel: 64,
      contextLength: 256,
      positions: "rotary",
      activation: "swiglu",
      tieHead: false,
      bigram: true,
      batchSize: 2,
      windows: "epochs",
      steps: 4200,
      optimizer: "muon",
      muonLearningRate: 0.02,
      learningRate: 0.01,
      minLearningRate: 1e-4,
      schedule: "linear",
      warmupSteps: 50,
      evalInterval: 1000,
      evalBatches: 20,
      checkpointInterval: 2000,
    },
  },
  "shakespeare-cpu": {
    help: "nanoGPT's setting for a CPU and tiny Shakespeare: bring the corpus with `data`",
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
    help: "the textbook's answer to every choice, at nanoGPT's sizes for a CPU; AdamW at a rate for small models",
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
    help: "what has been found since, at the same sizes: more is learned from each token",
    settings: {
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
    },
  },
  blanks: {
    help: "an encoder that fills in blanks of the embedded tales",
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
    help: "an encoder and a decoder that turn strings round, without a mistake",
    settings: { ...STRINGS, task: "reverse" },
  },
  sort: {
    help: "an encoder and a decoder that sort the letters of strings, without a mistake",
    settings: { ...STRINGS, task: "sort" },
  },
  tiny: {
    help: "4,000-odd parameters: to look at every number, or to try things in seconds",
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
};

/** @throws ConfigError for an unknown name, with the nearest known one */
export function presetOf(name: string): Preset {
  if (Object.hasOwn(PRESETS, name)) return PRESETS[name];
  const names = Object.keys(PRESETS);
  throw new ConfigError(
    `there is no preset "${name}"; did you mean "${nearest(name, names)}"? There are: ${names.join(", ")}`,
  );
}
