/** Section 7: each kind of model sees what its drawn mask shows, learns its task on the page, and follows the switch. */

import { beforeAll, describe, expect, test } from "vitest";
import { CheckpointError, SampleError, TokenError } from "../../../src/errors.ts";
import { padTokens } from "../../../src/nn/inputs/token-batch.ts";
import { inspect } from "../../../src/nn/inspect.ts";
import { answerString, continueText, fill, trainSide } from "../../../src/play/engine/kinds.ts";
import { maskMatrixOf } from "../../../src/play/engine/mask-matrix.ts";
import { sideModelsOf } from "../../../src/play/engine/side-models.ts";
import { MASK_MODES } from "../../../src/play/masks.ts";
import type { SideName } from "../../../src/play/protocol.ts";
import { fillBlanks } from "../../../src/sample/fill-blanks.ts";
import { greedyAnswers } from "../../../src/sample/greedy-answers.ts";
import { type NodeEngine, nodeEngine } from "../../support/play.ts";

const HIDDEN = Number.NEGATIVE_INFINITY;
let page: NodeEngine;

beforeAll(async () => {
  page = await nodeEngine();
});

/** The states of a model, oldest first. */
function statesOf(name: SideName) {
  return page.events.flatMap((event) => (event.kind === "side" && event.name === name ? [event.state] : []));
}

/** Trains until this many steps are done, or a few more. */
async function trainTo(name: SideName, steps: number): Promise<void> {
  const { engine } = page;
  await engine.queue.run(() => trainSide(engine, { name, isOn: true }));
  // A start may have replaced the trainer.
  const { trainer } = await sideModelsOf(engine)[name].opened();
  while (trainer.stepsDone < steps) await new Promise((resolve) => setTimeout(resolve, 1));
  await engine.queue.run(() => trainSide(engine, { name, isOn: false }));
}

/** Whether each query's logits move when a key's token changes: 0 if so, −∞ if not. */
async function sightOf(size: number, logits: (changed: number | null) => Promise<readonly number[][]>) {
  const before = await logits(null);
  const sight = Array.from({ length: size }, () => new Array<number>(size).fill(HIDDEN));
  for (let key = 0; key < size; key++) {
    const after = await logits(key);
    before.forEach((row, query) => {
      if (row.some((value, i) => value !== after[query][i])) sight[query][key] = 0;
    });
  }
  return sight;
}

function rowsOf(values: ArrayLike<number>, width: number): number[][] {
  const all = Array.from(values);
  return Array.from({ length: all.length / width }, (_, t) => all.slice(t * width, (t + 1) * width));
}

describe("masks are what the models see", () => {
  test("an encoder sees all", async () => {
    await trainTo("encoder", 1);
    const { model, tokenizer } = await sideModelsOf(page.engine).encoder.opened();
    const ids = [...tokenizer.encode("b"), model.maskId, ...tokenizer.encode("d")];
    const sight = await sightOf(3, async (changed) => {
      const batch = { ids: ids.map((id, t) => (t === changed ? 7 : id)), batchSize: 1 };
      return rowsOf(
        await model.context.scope("no-grad", () => model.forward(batch).read()),
        tokenizer.vocabSize,
      );
    });
    expect((await fill(page.engine, "b_d")).mask).toEqual(sight);
  });

  test.each(MASK_MODES)("a GPT attends to what the switch shows: %s", async (mask) => {
    const { model, tokenizer } = await page.engine.viewed("shipped");
    const tokens = { ids: tokenizer.encode("abc"), batchSize: 1 };
    const weights = await model.context.scope("no-grad", () =>
      inspect(model, tokens, { maskMatrix: maskMatrixOf(mask) }).blocks[1].attention.read(),
    );
    const sight = rowsOf(weights.slice(0, 9), 3).map((row) => row.map((weight) => (weight > 0 ? 0 : HIDDEN)));
    const { mask: drawn } = await continueText(page.engine, { model: "shipped", mask, prompt: "abc" });
    expect(drawn).toEqual(sight);
  });

  test("an encoder–decoder's source sees all of itself, its answer the source and what is written", async () => {
    await trainTo("answers", 1);
    const answered = await answerString(page.engine, { source: "bad", mask: "on" });
    const { model, tokenizer } = await sideModelsOf(page.engine).answers.opened();
    const source = Array.from(tokenizer.encode("bad"));
    const written = [model.startId, ...tokenizer.encode(answered.answer || "dab")];
    const other = (ids: readonly number[], changed: number | null) =>
      ids.map((id, t) => (t === changed ? (id + 1) % tokenizer.vocabSize : id));
    const sight = await sightOf(3 + written.length, (changed) =>
      model.context.scope("no-grad", async () => {
        const encoded = model.encode({ ids: other(source, changed), batchSize: 1 });
        const ids = other(written, changed === null ? null : changed - 3);
        const logits = await model.decode({ ids, batchSize: 1 }, encoded).read();
        const { dModel } = model.config;
        return [...rowsOf(await encoded.states.read(), dModel), ...rowsOf(logits, model.endId + 1)];
      }),
    );
    expect(answered.sourceTokens).toBe(3);
    expect(answered.mask).toEqual(sight);
  });

  test("the switch opens only the block of the answer", async () => {
    const [on, off] = [
      await answerString(page.engine, { source: "bad", mask: "on" }),
      await answerString(page.engine, { source: "bad", mask: "off" }),
    ];
    off.mask.forEach((row, query) => {
      row.forEach((value, key) => {
        expect(value).toBe(query < 3 ? on.mask[query][key] : 0);
      });
    });
  });
});

describe("results", () => {
  test("the text that the library's fillBlanks fills in, with the best candidates", async () => {
    await trainTo("encoder", 120);
    const { model, tokenizer } = await sideModelsOf(page.engine).encoder.opened();
    const shown = await fill(page.engine, "Milo_the b_ker");
    const ids = Array.from("Milo_the b_ker", (c) => (c === "_" ? model.maskId : tokenizer.encode(c)[0]));
    const { ids: filled, blanks } = await fillBlanks(model, ids);
    expect(shown.text).toBe(tokenizer.decode(filled));
    expect(shown.tokens).toEqual(Array.from("Milo_the b_ker", (c) => (c === "_" ? null : c)));
    expect(shown.blanks.map(({ position }) => position)).toEqual([4, 10]);
    shown.blanks.forEach(({ candidates }, i) => {
      expect(candidates).toHaveLength(3);
      const [{ text, probability }, second, third] = candidates;
      expect(text).toBe(tokenizer.decode([blanks[i].token]));
      expect(probability).toBe(blanks[i].probability);
      expect(probability).toBeGreaterThanOrEqual(second.probability);
      expect(second.probability).toBeGreaterThanOrEqual(third.probability);
    });
    // Between two words there is a space: the first thing that an encoder learns.
    expect(shown.blanks[0].candidates[0].text).toBe(" ");
  });

  test("the continuation under the switch, next to the one under the causal mask", async () => {
    const request = { model: "shipped", prompt: "By the oak sat" } as const;
    const on = await continueText(page.engine, { ...request, mask: "on" });
    const off = await continueText(page.engine, { ...request, mask: "off" });
    expect(on.text).toBe(on.causalText);
    expect(on.text.length).toBe(32);
    expect(off.causalText).toBe(on.text);
    expect(off.text).not.toBe(on.text);
    expect((await page.engine.viewed("shipped")).model.maskMatrix).toBeNull();
  });

  test("greedy answers, more and more of them right", async () => {
    const { engine } = page;
    const before = await answerString(engine, { source: "badge", mask: "on" });
    expect(before.correct).toBe("egdab");
    expect(before.answer).not.toBe(before.correct);
    await trainTo("answers", 150);
    const { model, tokenizer } = await sideModelsOf(engine).answers.opened();
    const last = statesOf("answers").at(-1);
    expect(last).toMatchObject({ steps: 800, isTraining: false, secondsLeft: null });
    expect(last?.measured.at(-1)?.of).toBeGreaterThan(150);
    expect(last?.measured.at(-1)?.right).toBeGreaterThan(0.1 * (last?.measured.at(-1)?.of ?? 0));
    const sources = ["badge", "abcdefghij"];
    const rows = sources.map((source) => tokenizer.encode(source));
    const answers = await greedyAnswers(model, padTokens(rows, "left"));
    for (const [i, source] of sources.entries()) {
      const { answer } = await answerString(engine, { source, mask: "on" });
      expect(answer).toBe(tokenizer.decode(answers[i].ids));
    }
  }, 120_000);
});

describe("training beside the run", () => {
  test("without the mask, an encoder–decoder learns to copy and answers nothing right", async () => {
    page = await nodeEngine();
    page.engine.mask = "off";
    await trainTo("answers", 150);
    const state = statesOf("answers").at(-1);
    expect(state?.lossNats).toBeLessThan(0.1);
    expect(state?.measured.at(-1)?.right).toBe(0);
  }, 120_000);

  test("after the last step, a start begins again with the first weights", async () => {
    page = await nodeEngine();
    const { engine } = page;
    const { model, trainer } = await sideModelsOf(engine).answers.opened();
    const untrained = await model.tokenEmbedding.read();
    await engine.queue.run(() => trainer.step());
    expect(await model.tokenEmbedding.read()).not.toEqual(untrained);
    trainer.resumeAt(trainer.settings.steps);
    await engine.queue.run(() => trainSide(engine, { name: "answers", isOn: true }));
    const opened = await sideModelsOf(engine).answers.opened();
    await engine.queue.run(() => trainSide(engine, { name: "answers", isOn: false }));
    expect(opened.trainer.stepsDone).toBeLessThan(3);
    expect(statesOf("answers").at(-1)).toMatchObject({ measured: [], isTraining: false });
  });

  test("answers other questions between its steps, pauses, and continues", async () => {
    const fresh = await nodeEngine();
    const { engine, events } = fresh;
    await engine.queue.run(() => trainSide(engine, { name: "answers", isOn: true }));
    const { trainer } = await sideModelsOf(engine).answers.opened();
    let asked = 0;
    for (; trainer.stepsDone < 5; asked++) {
      await engine.queue.run(() => answerString(engine, { source: "bad", mask: "on" }));
      // The page's messages come in separate tasks.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(asked).toBeGreaterThanOrEqual(4);
    const [before, after] = await engine.queue.run(async () => {
      const during = trainer.stepsDone;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return [during, trainer.stepsDone];
    });
    expect(after).toBe(before);
    await engine.queue.run(() => trainSide(engine, { name: "answers", isOn: false }));
    const paused = trainer.stepsDone;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(trainer.stepsDone).toBeLessThanOrEqual(paused + 1);
    await engine.queue.run(() => trainSide(engine, { name: "answers", isOn: true }));
    // A second start does not train twice.
    await engine.queue.run(() => trainSide(engine, { name: "answers", isOn: true }));
    for (let i = 0; i < 3; i++) await engine.queue.run(async () => {});
    await engine.queue.run(() => trainSide(engine, { name: "answers", isOn: false }));
    expect(trainer.stepsDone).toBeGreaterThan(paused);
    const shown = events.flatMap((event) => (event.kind === "side" ? [event.state] : []));
    expect(shown.at(-1)).toMatchObject({ isTraining: false, steps: 800, measured: [] });
    expect(shown.some(({ isTraining, secondsLeft }) => isTraining && (secondsLeft ?? 0) > 0)).toBe(true);
  });
});

test("what a model cannot read is refused", async () => {
  const { engine } = page;
  await expect(fill(engine, "Milo")).rejects.toThrow(
    "has no blank: put a _ in place of each missing character",
  );
  await expect(fill(engine, "Milo the_é")).rejects.toThrow(TokenError);
  await expect(fill(engine, "_".repeat(33))).rejects.toThrow("room for 32 tokens: this text has 33");
  const ask = (prompt: string) => continueText(engine, { model: "shipped", mask: "off", prompt });
  await expect(ask("")).rejects.toThrow(SampleError);
  await expect(ask("é")).rejects.toThrow(TokenError);
  await expect(ask("a".repeat(33))).rejects.toThrow("room for 32 tokens: this text has 33");
  await expect(continueText(engine, { model: "training", mask: "on", prompt: "a" })).rejects.toThrow(
    CheckpointError,
  );
  const answerTo = (source: string) => answerString(engine, { source, mask: "on" });
  await expect(answerTo("ab")).rejects.toThrow("answers strings of 3 to 10 letters: got 2");
  await expect(answerTo("abcdefghija")).rejects.toThrow("answers strings of 3 to 10 letters: got 11");
  await expect(answerTo("abk")).rejects.toThrow(TokenError);
});
