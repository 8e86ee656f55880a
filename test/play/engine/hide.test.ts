/** What −10⁹ hides depends on the scores; −∞ hides any. */
import { expect, test } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import { ReferenceBackend } from "../../../src/backend/reference/reference-backend.ts";
import { hide } from "../../../src/play/engine/hide.ts";

const causal = (row: number, column: number) => column <= row;
const weightsOf = async (scores: number[][], way: "infinity" | "large") =>
  (await hide(new Context(new ReferenceBackend("single")), scores, causal, way)).weights;

test("a score of −10⁹ plus a large one shows through; one of −∞ does not", async () => {
  const large = [
    [0, 2e9],
    [0, 0],
  ];
  expect(await weightsOf(large, "large")).toEqual([
    [0, 1],
    [0.5, 0.5],
  ]);
  expect(await weightsOf(large, "infinity")).toEqual([
    [1, 0],
    [0.5, 0.5],
  ]);
  const small = [
    [0, 50],
    [0, 0],
  ];
  expect(await weightsOf(small, "large")).toEqual(await weightsOf(small, "infinity"));
});
