/** The proof by kills in small; `npm run prove` is the whole one. */
import { expect, it } from "vitest";
import { proveKills } from "../../../scripts/prove/kills.ts";
import { makeFolder } from "../../support/program.ts";

const folder = makeFolder();

it("a run goes on after every kill, and comes to the bits of one that was never stopped", async () => {
  const report = await proveKills({ kills: 7, seed: 3, steps: 40, folder });
  expect(report.kills).toBe(7);
  expect(report.finished).toBeGreaterThan(0);
}, 120_000);
