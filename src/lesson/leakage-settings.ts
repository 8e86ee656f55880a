/** The settings of the lesson on leakage. */
import type { Settings } from "../config/settings.ts";

/** One layer and half a minute: enough to cheat perfectly, and enough to learn spelling honestly. */
export const LEAKAGE_SETTINGS = {
  layers: 1,
  heads: 4,
  dModel: 64,
  contextLength: 32,
  activation: "gelu-tanh",
  tieHead: false,
  bigram: true,
  // Textbook attention, so that the two models differ only in the values of M.
  attention: "textbook",
  batchSize: 16,
  steps: 600,
  optimizer: "muon",
  muonLearningRate: 0.02,
  learningRate: 0.01,
  minLearningRate: 1e-4,
  schedule: "linear",
  warmupSteps: 20,
} as const satisfies Partial<Settings>;

/** What both models continue. */
export const LEAKAGE_PROMPT = "One misty Sunday in Ashford, ";
export const LEAKAGE_SAMPLE_TOKENS = 300;
