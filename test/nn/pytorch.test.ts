/** GPT against PyTorch for random configurations: full rows, and rows padded on either side. */
import { expect, test } from "vitest";
import { GPT } from "../../src/nn/gpt.ts";
import { IGNORED } from "../../src/ops/cross-entropy.ts";
import { Random } from "../../src/random.ts";
import { goldenModels, provePyTorchs } from "../support/golden-models.ts";

const models = goldenModels("gpt");
const others = goldenModels("gpt-choices");
const imported = goldenModels("gpt-imported");

provePyTorchs(
  [...models, ...others, ...imported],
  (context, config) => new GPT(context, config, Random.of(1)),
  (gpt, { tokens }) => gpt.forward(tokens),
);

test("the models differ in every option; some targets are ignored, and some rows padded", () => {
  expect(models.length).toBeGreaterThanOrEqual(6);
  const sizes = ["layers", "heads", "dModel", "contextLength", "vocabSize"] as const;
  const choices = ["bias", "activation", "tieHead", "bigram"] as const;
  for (const name of [...sizes, ...choices]) {
    expect(new Set(models.map(({ config }) => config[name])).size, name).toBeGreaterThan(1);
  }
  expect(models.some(({ targets }) => targets.flat().includes(IGNORED))).toBe(true);
  const paddings = models.flatMap(({ tokens: { padding } }) => padding ?? []);
  expect(paddings.some(({ starts }) => starts.some((start) => start > 0))).toBe(true);
  expect(paddings.some(({ ends }) => ends.some((end) => end < Math.max(...ends)))).toBe(true);
});

test("options other than GPT-2's are covered", () => {
  const choices = ["norm", "normWeights", "qkNorm", "positions", "activation", "logitCap"] as const;
  const made = choices.map((name) => new Set(others.map(({ config }) => config[name])).size);
  expect(made).toEqual([2, 2, 2, 3, expect.any(Number), 3]);
  const activations = others.map(({ config }) => config.activation);
  expect(activations).toEqual(expect.arrayContaining(["relu2", "swiglu"]));
});

test("the options of imported models are covered", () => {
  const names = ["ropeBase", "normEpsilon", "mlpWidth", "headSize", "kvHeads", "qkNormWeights"] as const;
  for (const name of names)
    expect(new Set(imported.map(({ config }) => config[name])).size, name).toBeGreaterThan(1);
});
