import { expect, test } from "vitest";
import { describeLearning } from "../../../scripts/bench/learned.ts";

test("compares two recipes: means, spreads, runs that reached the target, and median ratios", () => {
  const ours = [
    { tokens: 1000, seconds: 2, loss: 1.88 },
    { tokens: 1000, seconds: 4, loss: 1.9 },
    { tokens: 1000, seconds: 3, loss: 1.89 },
  ];
  const theirs = [
    { tokens: 9000, seconds: 40, loss: 1.898 },
    { tokens: 10_000, seconds: 60, loss: 1.897 },
    { tokens: 11_000, seconds: 90, loss: 1.898 },
  ];
  const description = describeLearning(ours, theirs, 1.898);
  expect(description).toMatch(/nopeek +1,000 +3\.00 ± 1\.00 +1\.8900 ± 0\.0100 +2 of 3/);
  expect(description).toMatch(/PyTorch.* +10,000 +63\.33 ± 25\.17 +1\.8977 ± 0\.0006 +3 of 3/);
  expect(description).toContain("10.0 times the tokens, 20.0 times the seconds");
  expect(describeLearning(ours.slice(0, 1), theirs.slice(0, 1), 1.898)).toMatch(
    /nopeek +1,000 +2\.00 +1\.8800 +1 of 1/,
  );
});
