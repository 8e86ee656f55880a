/**
 * The first twenty losses of a small run on the default backend, to the last bit: test/golden/losses.json. They
 * change only if the arithmetic changes. If that is intended, run `npx tsx scripts/golden/losses.ts` and explain it
 * in the commit.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
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

export const GOLDEN_LOSSES_PATH = fileURLToPath(new URL("../../test/golden/losses.json", import.meta.url));

/** The losses of the golden run's twenty steps. */
export async function goldenLosses(attention: Settings["attention"], threads = 1): Promise<number[]> {
  const settings = resolveSettings(SETTINGS, { attention });
  const backend = await openBackend("wasm", threads);
  const config = gptConfigOf(settings, VOCAB_SIZE);
  const model = new GPT(new Context(backend), config, Random.of(settings.seed, "weights"));
  const trainer = new Trainer(model, new NextToken(model, sawtooth(2003), settings), settings);
  const losses: number[] = [];
  while (trainer.stepsDone < settings.steps) losses.push((await trainer.step()).lossNats);
  await backend.close();
  return losses;
}

/** Training data: a ramp with noise. */
function sawtooth(length: number): Int32Array {
  const random = Random.of(7, "sawtooth");
  return Int32Array.from({ length }, (_, i) => (i + random.below(3)) % VOCAB_SIZE);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const losses = { fused: await goldenLosses("fused"), textbook: await goldenLosses("textbook") };
  writeFileSync(GOLDEN_LOSSES_PATH, `${JSON.stringify(losses, null, 2)}\n`);
}
