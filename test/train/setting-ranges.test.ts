/**
 * Settings at the ends of their ranges: no accepted value of a real setting, with the other settings at their defaults,
 * makes the first step of a tiny model give a number that is not finite. Numbers near 0 are the danger, because single
 * precision turns them into 0 and their reciprocals into ∞.
 */
import { expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import { parseSettings, SETTINGS } from "../../src/config/settings.ts";
import { ConfigError } from "../../src/errors.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import { Trainer } from "../../src/train/trainer.ts";

const sizes = { layers: 1, heads: 1, dModel: 8, contextLength: 8, batchSize: 2, steps: 10, warmupSteps: 2 };
/** With a separate head, the embedding of a token that does not occur has gradient 0: AdamW divides 0 by √0 + ε. */
const tiny = { ...sizes, tieHead: false };
/** Settings that refuse ½: the others are whole numbers. */
const reals = SETTINGS.filter(
  ({ name, kind }) => kind === "number" && accepts({ [name]: 0.5, minLearningRate: 0 }),
);
/** From the largest numbers to the smallest subnormal one, on both sides of what a table may accept. */
const magnitudes = [
  1e6,
  1e3,
  10,
  1,
  1 - 2 ** -53,
  0.999,
  0.5,
  1e-3,
  1e-12,
  1e-20,
  1e-38,
  1e-45,
  1e-160,
  1e-310,
  5e-324,
];

function accepts(given: Readonly<Record<string, unknown>>): boolean {
  try {
    parseSettings(tiny, given);
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

it("knows the real settings", () => {
  expect(reals.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      "learningRate",
      "muonLearningRate",
      "epsilon",
      "logitCap",
      "dropout",
      "gradClip",
    ]),
  );
});

it.each(reals.map(({ name }) => name))("the first step is finite for every accepted %s", async (name) => {
  const ids = Int32Array.from({ length: 60 }, (_, i) => (i * i) % 7);
  const failed: string[] = [];
  const tried: number[] = [];
  for (const value of [0, ...magnitudes]) {
    for (const optimizer of ["adamw", "muon"]) {
      // A rate below the minimum is refused, whatever it is.
      const given = { optimizer, minLearningRate: 0, [name]: value };
      if (!accepts(given)) continue;
      const settings = parseSettings(tiny, given);
      const backend = await openBackend("wasm");
      const model = new GPT(new Context(backend), gptConfigOf(settings, 7), Random.of(1, "weights"));
      const trainer = new Trainer(model, new NextToken(model, ids, settings), settings);
      const { lossNats, gradientNorm } = await trainer.step();
      const numbers = await Promise.all(Object.values(model.parameters()).map((tensor) => tensor.read()));
      const finite = numbers.every((values) => values.every(Number.isFinite));
      if (!finite || !Number.isFinite(lossNats + gradientNorm)) failed.push(`${name} ${value}, ${optimizer}`);
      tried.push(value);
    }
  }
  expect(failed).toEqual([]);
  expect(tried.length).toBeGreaterThan(4);
});
