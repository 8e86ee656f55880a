/** Windows by epochs: a string that occurs only at the end of the training text is learned. */
import { expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import { resolveSettings } from "../../src/config/settings.ts";
import { evaluateSplit } from "../../src/evaluate/loss.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import { Trainer } from "../../src/train/trainer.ts";

const CONTEXT = 16;
const ENDING = "ZEBRA QUARTZ!";
const text =
  "the cat sat on the mat. the rat sat on the hat. the bat sat on the mat. the hat! ".slice(0, 80) + ENDING;

it("learns a training text to its last character", async () => {
  // The whole windows end where the ending begins.
  expect(text.length % CONTEXT).toBe(ENDING.length);
  const tokenizer = CharTokenizer.fromText(text);
  const ids = tokenizer.encode(text);
  const settings = resolveSettings({
    ...{ layers: 1, heads: 2, dModel: 32, contextLength: CONTEXT, batchSize: 8, windows: "epochs" },
    ...{ steps: 300, learningRate: 1e-2, warmupSteps: 20 },
  });
  const lossOfEnding = async (train: Int32Array) => {
    const context = new Context(await openBackend("wasm"));
    const model = new GPT(context, gptConfigOf(settings, tokenizer.vocabSize), Random.of(1));
    const trainer = new Trainer(model, new NextToken(model, train, settings), settings);
    while (trainer.stepsDone < settings.steps) await trainer.step();
    // The last window of the text.
    return (await evaluateSplit(model, ids, { start: ids.length - CONTEXT, end: ids.length })).lossNats;
  };
  expect(await lossOfEnding(ids)).toBeLessThan(1);
  // Negative control: without the ending, it cannot be known.
  expect(await lossOfEnding(ids.subarray(0, -ENDING.length))).toBeGreaterThan(5);
});
