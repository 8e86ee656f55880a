import { existsSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { countParameters, SIZES } from "../../../scripts/bench/sizes.ts";
import { TaskFiles } from "../../../scripts/bench/tasks.ts";
import { decodeSafetensors } from "../../../src/run/safetensors.ts";

const taskFiles = new TaskFiles();
afterAll(() => taskFiles.clear());

describe("the input of competitors", () => {
  test.each(["nanogpt", "tiny"] as const)(
    "%s: the right number of weights, and batches from its text",
    async (name) => {
      const size = SIZES[name];
      const task = await taskFiles.task(size);
      const { tensors } = decodeSafetensors(readFileSync(task.weightsPath), name);
      const stored = [...tensors.values()].reduce((count, { values }) => count + values.length, 0);
      expect(stored).toBe(countParameters(size));
      const text = task.text.join();
      for (const { inputs, targets } of task.batches) {
        expect(inputs).toHaveLength(size.batchSize * size.contextLength);
        for (let row = 0; row < size.batchSize; row++) {
          const [from, to] = [row * size.contextLength, (row + 1) * size.contextLength];
          // Targets are inputs shifted by one, and both occur in the text.
          const window = [...inputs.slice(from, to), targets[to - 1]];
          expect(window.slice(1)).toEqual(targets.slice(from, to));
          expect(text).toContain(window.join());
        }
      }
      expect(new Set(task.text).size).toBeLessThanOrEqual(size.vocabSize);
      expect(Math.max(...task.text)).toBeLessThan(size.vocabSize);
    },
  );

  test("the models have their documented sizes", () => {
    expect(countParameters(SIZES.tiny)).toBe(4192);
    expect(countParameters(SIZES.nanogpt)).toBe(804_096);
    expect(countParameters(SIZES.medium)).toBe(10_745_088);
  });

  test("removes its files afterward", async () => {
    const own = new TaskFiles();
    const { weightsPath } = await own.task(SIZES.tiny);
    expect(existsSync(weightsPath)).toBe(true);
    own.clear();
    expect(existsSync(own.folder)).toBe(false);
  });
});
