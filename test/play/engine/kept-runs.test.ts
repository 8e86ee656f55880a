/** What a reload continues: the browser keeps the latest checkpoints, and says so if it cannot. */
import { expect, test } from "vitest";
import {
  memoryShelf,
  type NodeEngine,
  nodeEngine,
  questions,
  stepsOf,
  untilStopped,
} from "../../support/play.ts";

const SMALL = { recipe: "small", changes: { dModel: 16, heads: 2, batchSize: 4, steps: 150 } } as const;
const VERSE = new Blob([`\ufeff${"Der Mond ist aufgegangen\n".repeat(20)}`]);

function keptOf({ events }: NodeEngine) {
  const last = events.findLast((event) => event.kind === "kept");
  return last?.kind === "kept" ? last : null;
}

test("a run that was cut off by a reload continues to the bits of one that was not", async () => {
  const shelf = memoryShelf();
  const before = await nodeEngine({ shelf });
  await questions.takeFiles(before.engine, { ...SMALL, files: [{ path: "<mond>.txt", file: VERSE }] });
  before.engine.start();
  // The clock of the tests is 60 ms later at each reading, so that five seconds pass.
  while ((await shelf.list()).length === 0) await new Promise((resolve) => setImmediate(resolve));
  const [{ id }] = await shelf.list();
  // Both at one moment. The engine trains on, and its later saves are not what the reload left.
  const [[run], files] = await Promise.all([shelf.list(), shelf.get(id)]);
  const left = memoryShelf();
  if (files !== null) await left.put(run, files);
  expect(run).toMatchObject({ name: "<mond>.txt", steps: 150 });
  expect(run.step).toBeGreaterThan(0);
  expect(run.step).toBeLessThan(150);

  const after = await nodeEngine({ shelf: left });
  await after.engine.kept.report();
  expect(keptOf(after)).toMatchObject({ runs: [run], problem: null });
  await questions.resumeKept(after.engine, run.id);
  expect(after.engine.run?.trainer.stepsDone).toBe(run.step);
  // The run in training is not offered again.
  expect(keptOf(after)?.runs).toEqual([]);
  after.engine.start();
  await untilStopped(after);
  await untilStopped(before);
  expect(stepsOf(after)).toEqual(stepsOf(before).slice(run.step));
  expect(stepsOf(after)).toHaveLength(150 - run.step);
});

test("of many runs, the one in training and those with the most steps are kept", async () => {
  const shelf = memoryShelf();
  const page = await nodeEngine({ shelf });
  for (const steps of [5, 2, 7, 1, 3]) {
    await questions.open(page.engine, SMALL);
    for (let i = 0; i < steps; i++) await page.engine.stepOnce();
    if (page.engine.run !== null) await page.engine.kept.keep(page.engine.run);
  }
  expect((await shelf.list()).map(({ step }) => step)).toEqual([5, 7, 3]);
  await page.engine.kept.report();
  expect(keptOf(page)?.runs.map(({ step }) => step)).toEqual([5, 7]);
  const [first] = await shelf.list();
  await questions.forgetKept(page.engine, first.id);
  expect((await shelf.list()).map(({ step }) => step)).toEqual([7, 3]);
  await expect(questions.resumeKept(page.engine, first.id)).rejects.toThrow("no longer kept");
  expect(page.engine.run?.trainer.stepsDone).toBe(3);
});

test("where the browser refuses to store anything, training continues and the page says why", async () => {
  const refuse = () => Promise.reject(new Error("QuotaExceededError"));
  const page = await nodeEngine({ shelf: { list: refuse, put: refuse, get: refuse, remove: refuse } });
  await page.engine.kept.report();
  expect(keptOf(page)).toEqual({ kind: "kept", runs: [], problem: "QuotaExceededError" });
  page.events.length = 0;
  await questions.open(page.engine, { ...SMALL, changes: { ...SMALL.changes, steps: 6 } });
  page.engine.start();
  await untilStopped(page);
  expect(stepsOf(page)).toHaveLength(6);
  expect(keptOf(page)?.problem).toBe("QuotaExceededError");
});
