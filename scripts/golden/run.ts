/** The golden run: a small model and a text of numbers. It needs no Node, so that browsers can repeat it. */
import { Context } from "../../src/autograd/context.ts";
import type { Backend } from "../../src/backend/backend.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import { Trainer } from "../../src/train/trainer.ts";

/** Sizes that exercise edges: no powers of two, and multiples of four only where the heads require it. */
const SETTINGS: Partial<Settings> = {
  layers: 2,
  heads: 3,
  dModel: 39,
  contextLength: 29,
  batchSize: 5,
  dropout: 0.1,
  steps: 20,
  warmupSteps: 5,
  learningRate: 1e-2,
  minLearningRate: 1e-3,
  gradAccumulation: 2,
};
const VOCAB_SIZE = 23;

/** The losses of the golden run's first steps, of twenty. */
export async function goldenRun(
  backend: Backend,
  attention: Settings["attention"],
  steps = 20,
): Promise<number[]> {
  const settings = resolveSettings(SETTINGS, { attention });
  const config = gptConfigOf(settings, VOCAB_SIZE);
  const model = new GPT(new Context(backend), config, Random.of(settings.seed, "weights"));
  const trainer = new Trainer(model, new NextToken(model, sawtooth(2003), settings), settings);
  const losses: number[] = [];
  while (trainer.stepsDone < steps) losses.push((await trainer.step()).lossNats);
  return losses;
}

/** Training data: a ramp with noise. */
function sawtooth(length: number): Int32Array {
  const random = Random.of(7, "sawtooth");
  return Int32Array.from({ length }, (_, i) => (i + random.below(3)) % VOCAB_SIZE);
}
