/** Several programs that start in one folder at the same time. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeFolderWithText, nopeek, TRAIN } from "../../../support/program.ts";

it("programs that start at once without --out train in separate folders", async () => {
  const { folder: shared } = makeFolderWithText(200);
  const program = () => nopeek(shared, ...TRAIN, "--steps", 2, "--eval-batches", 1);
  const outcomes = await Promise.all(Array.from({ length: 5 }, program));
  expect(outcomes.map(({ code, stderr }) => (code === 0 ? "" : stderr))).toEqual(["", "", "", "", ""]);
  const names = [1, 2, 3, 4, 5].map((number) => `text-${number}`);
  expect(readdirSync(join(shared, "checkpoints"))).toEqual(names);
  for (const name of names) {
    expect(readdirSync(join(shared, "checkpoints", name)).sort()).toContain("step-000002");
    expect(existsSync(join(shared, "checkpoints", name, ".lock-1"))).toBe(false);
  }
});
