/** The models that sections look at: the run in training, or the shipped model. */
export const MODELS = ["training", "shipped"] as const;
export type ModelName = (typeof MODELS)[number];
