import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { GOLDEN_LOSSES_PATH, goldenLosses } from "../../scripts/golden/losses.ts";

const golden: unknown = JSON.parse(readFileSync(GOLDEN_LOSSES_PATH, "utf8"));

it.each([
  ["fused", 1],
  ["fused", 3],
  ["textbook", 1],
  ["textbook", 3],
] as const)("the %s loss curve on %i threads is the golden one, bit for bit", async (attention, threads) => {
  const losses = await goldenLosses(attention, threads);
  // JSON represents doubles exactly.
  expect(golden).toHaveProperty(attention, losses);
  expect(losses).toHaveLength(20);
  expect(losses[19]).toBeLessThan(losses[0]);
});
