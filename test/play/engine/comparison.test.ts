/** The comparison is the lesson of the command line, a step at a time. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { splitCorpus } from "../../../src/data/split.ts";
import { teachLeakage } from "../../../src/lesson/leakage.ts";
import { LEAKAGE_PROMPT, LEAKAGE_SAMPLE_TOKENS } from "../../../src/lesson/leakage-settings.ts";
import { comparisonOf } from "../../../src/play/engine/comparison.ts";
import type { ComparisonState } from "../../../src/play/protocol.ts";
import { CharTokenizer } from "../../../src/text/char-tokenizer.ts";
import { type NodeEngine, nodeEngine, questions } from "../../support/play.ts";

const STEPS = 3;
const SMALL = { recipe: "small", changes: { dModel: 16, heads: 2, batchSize: 4, steps: 50 } } as const;

const statesOf = ({ events }: NodeEngine): ComparisonState[] =>
  events.flatMap((event) => (event.kind === "comparison" ? [event.state] : []));

async function ended(page: NodeEngine): Promise<ComparisonState> {
  for (;;) {
    const last = statesOf(page).at(-1);
    if (last !== undefined && last.kind !== "running") return last;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("both runs have the losses and samples of the lesson, while questions and training continue", async () => {
  const page = await nodeEngine();
  const { engine } = page;
  await questions.open(engine, SMALL);
  comparisonOf(engine).start(STEPS);
  comparisonOf(engine).start(STEPS);
  const steps: number[] = [];
  // Each of these waits for its turn between two steps of the comparison.
  while (statesOf(page).at(-1)?.kind === "running") {
    await engine.queue.run(() => engine.stepOnce());
    steps.push(engine.run?.trainer.stepsDone ?? 0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(steps.length).toBeGreaterThan(STEPS);
  const done = await ended(page);

  const text = readFileSync(new URL("../../../data/tales.txt", import.meta.url), "utf8");
  const tokenizer = CharTokenizer.fromText(text);
  const ids = tokenizer.encode(text);
  const { withMask, withoutMask } = await teachLeakage({
    ...{ backend: engine.backend, tokenizer, ids, split: splitCorpus(ids), steps: STEPS, seed: 1337 },
    prompt: LEAKAGE_PROMPT,
    sampleTokens: LEAKAGE_SAMPLE_TOKENS,
  });
  const { curve: _, ...left } = withMask;
  const { curve: __, ...right } = withoutMask;
  expect(done).toMatchObject({ kind: "done", withMask: left, withoutMask: right, floorNats: 0.514561 });
  expect(statesOf(page).filter(({ kind }) => kind === "done")).toHaveLength(1);
}, 180_000);

test("it can be stopped, and started again on a short text of a person", async () => {
  const page = await nodeEngine();
  const { engine } = page;
  const file = new Blob(["ein Text "]);
  await questions.takeFiles(engine, { ...SMALL, files: [{ path: "short.txt", file }] }).catch(() => {});
  const longer = new Blob(["ein Text ".repeat(12)]);
  await questions.takeFiles(engine, { ...SMALL, files: [{ path: "short.txt", file: longer }] });
  await questions.compare(engine, null);
  await questions.stopComparing(engine, null);
  expect((await ended(page)).kind).toBe("stopped");
  page.events.length = 0;
  comparisonOf(engine).start(STEPS);
  expect(await ended(page)).toMatchObject({ kind: "done", floorNats: null, isOwnText: true, steps: STEPS });
});
