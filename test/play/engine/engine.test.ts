/** The engine of the page trains to the command line's bits, and its mask can be switched while it trains. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import { presetOf } from "../../../src/config/presets.ts";
import { resolveSettings } from "../../../src/config/settings.ts";
import { splitCorpus } from "../../../src/data/split.ts";
import { ConfigError, NopeekError } from "../../../src/errors.ts";
import { GPT } from "../../../src/nn/gpt.ts";
import { playSettings } from "../../../src/play/engine/recipes.ts";
import { Random } from "../../../src/random.ts";
import { gptConfigOf } from "../../../src/run/config.ts";
import { CharTokenizer } from "../../../src/text/char-tokenizer.ts";
import { NextToken } from "../../../src/train/objectives/next-token.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import { nodeEngine, stepsOf, untilStopped } from "../../support/play.ts";

const tales = readFileSync(new URL("../../../data/tales.txt", import.meta.url), "utf8");
/** Learns to copy from the next position within some hundred quick steps. */
const QUICK = { dModel: 32, heads: 2, contextLength: 16, batchSize: 8 };

test("the recipe tales trains to the losses of the library's trainer, to the bit", async () => {
  const page = await nodeEngine();
  await page.engine.open(playSettings("tales", { steps: 5 }));
  page.engine.start();
  await untilStopped(page);

  const settings = resolveSettings(presetOf("tales").settings, { steps: 5, warmupSteps: 5 });
  const tokenizer = CharTokenizer.fromText(tales);
  const model = new GPT(
    new Context(page.engine.backend),
    gptConfigOf(settings, tokenizer.vocabSize),
    Random.of(settings.seed, "weights"),
  );
  const { train } = splitCorpus(tokenizer.encode(tales));
  const trainer = new Trainer(model, new NextToken(model, train, settings), settings);
  const losses: number[] = [];
  while (trainer.stepsDone < 5) losses.push((await trainer.step()).lossNats);
  expect(stepsOf(page).map(({ lossNats }) => lossNats)).toEqual(losses);
  expect(stepsOf(page).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
});

describe("the switch", () => {
  test("off, the loss falls below the floor; back on, it is worse than a blind guess; the run says so", async () => {
    const page = await nodeEngine();
    const { engine } = page;
    const { floorNats, blindGuessNats } = await engine.open(playSettings("small", { ...QUICK, steps: 400 }));
    expect(floorNats).toBe(0.514561);
    const train = async (steps: number) => {
      for (let i = 0; i < steps; i++) await engine.stepOnce();
      return stepsOf(page).slice(-steps);
    };
    const honest = await train(30);
    expect(engine.run?.isPure).toBe(true);
    expect(Math.min(...honest.map(({ lossNats }) => lossNats))).toBeGreaterThan(floorNats ?? Number.NaN);

    engine.mask = "off";
    const peeking = await train(300);
    expect(peeking.at(-1)?.lossNats).toBeLessThan(floorNats ?? Number.NaN);
    expect(new Set(peeking.map(({ mask }) => mask))).toEqual(new Set(["off"]));
    expect(engine.run?.isPure).toBe(false);

    engine.mask = "on";
    const [first] = await train(1);
    expect(first.lossNats).toBeGreaterThan(blindGuessNats);
  });

  test("a model that was trained with the mask shifted by one predicts badly without seeing the next position", async () => {
    const page = await nodeEngine();
    const { engine } = page;
    engine.mask = "shifted";
    await engine.open(playSettings("small", { ...QUICK, steps: 200 }));
    for (let i = 0; i < 200; i++) await engine.stepOnce();
    const shifted = await engine.run?.validationNats("shifted");
    expect(shifted).toBeLessThan(1);
    expect(await engine.run?.validationNats("on")).toBeGreaterThan(3);
    // Evaluating with another mask leaves the switch alone.
    expect(engine.run?.mask).toBe("shifted");
  });
});

test("settings out of range are refused, and the run before stays", async () => {
  const { engine } = await nodeEngine();
  await engine.open(playSettings("small", { ...QUICK, steps: 3 }));
  await engine.stepOnce();
  expect(() => playSettings("small", { layers: -1 })).toThrow(ConfigError);
  expect(() => playSettings("small", { dModel: 33 })).toThrow(ConfigError);
  expect(() => playSettings("small", { steps: Number.NaN })).toThrow(ConfigError);
  await expect(engine.open({ ...playSettings("small", QUICK), dModel: 33 })).rejects.toThrow(NopeekError);
  await engine.stepOnce();
  expect(engine.run?.trainer.stepsDone).toBe(2);
});

test("a pause comes between two steps, and training continues there", async () => {
  const page = await nodeEngine();
  const { engine } = page;
  await engine.open(playSettings("small", { ...QUICK, steps: 40 }));
  engine.start();
  while (stepsOf(page).length === 0) await new Promise((resolve) => setImmediate(resolve));
  engine.stop();
  await untilStopped(page);
  const paused = engine.run?.trainer.stepsDone ?? 0;
  expect(paused).toBeLessThan(40);
  engine.start();
  await untilStopped(page);
  expect(stepsOf(page).map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  const samples = page.events.flatMap((event) => (event.kind === "sample" ? [event.sample] : []));
  expect(samples.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => 2 * (i + 1)));
  const last = samples[samples.length - 1];
  expect(last.text.length).toBeGreaterThan(100);
  expect(last.leftOnlyNats).toBe(last.asTrainedNats);
});
