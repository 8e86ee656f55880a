/** A small version of `npm run prove`. */
import { expect, it } from "vitest";
import { proveKills } from "../../../scripts/prove/kills.ts";
import { makeFolder } from "../../support/program.ts";

const folder = makeFolder();

it("a run resumes after every kill and ends with the bits of an uninterrupted run", async () => {
  const report = await proveKills({ kills: 3, seed: 3, steps: 20, folder });
  expect(report.kills).toBe(3);
  expect(report.finished).toBeGreaterThan(0);
}, 120_000);
