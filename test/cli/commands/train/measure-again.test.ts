/** Like is compared with like: what a resume does when it changes what is evaluated. */
import { cpSync, readFileSync, rmSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { nopeekHere } from "../../../support/in-process.ts";
import { makeFolderWithText, parseLines, START_MS, TRAIN } from "../../../support/program.ts";
import { logOf, resealState } from "../../../support/run-files.ts";

const { folder, at } = makeFolderWithText(200);
const here = (...words: readonly (string | number)[]) => nopeekHere(folder, ...words);
const resume = (run: string, ...flags: readonly (string | number)[]) =>
  here("train", "--resume", "--out", run, "--steps", 12, "--threads", 1, "--quiet", ...flags);

beforeAll(async () => {
  const flags = ["--checkpoint-interval", 2, "--keep-checkpoints", 9, "--measure-tokens", 13, "--no-samples"];
  await here(...TRAIN, "--out", "run", "--steps", 6, "--learning-rate", 0.01, "--warmup-steps", 0, ...flags);
}, START_MS);

/** A copy of the run whose best loss is so lucky that no later one is lower. */
function lucky(name: string): string {
  rmSync(at(name), { recursive: true, force: true });
  cpSync(at("run"), at(name), { recursive: true });
  resealState(at(name), ({ state }) => Object.assign(Object(state.best), { validationNats: 0.001 }));
  return name;
}

async function lossOf(run: string, step: number | string): Promise<number> {
  const { stdout } = await here("eval", run, "--step", step, "--threads", 1, "--json");
  return Number(parseLines(stdout)[0].lossNats);
}

describe("the best step", () => {
  it("stays the best while the same tokens are evaluated", async () => {
    const { stderr } = await resume(lucky("same"));
    expect(stderr).not.toContain("the best step, 6");
    expect(readFileSync(at("same/best"), "utf8")).toBe("step-000006\n");
  });

  it.each(["--measure-tokens", "without it"])("is evaluated again when %s changes them", async (how) => {
    const name = lucky("other");
    if (how === "without it")
      resealState(at(name), ({ state }) => Object.assign(state, { covers: "another text" }));
    const { stderr } = await resume(name, ...(how === "without it" ? [] : ["--measure-tokens", 100_000]));
    const records = logOf(at(name));
    const resumed = records.findIndex((record) => "resumedAfterStep" in record);
    const again = records.slice(resumed).find(({ kind }) => kind === "evaluation");
    expect(again?.step).toBe(6);
    if (how !== "without it") {
      expect(again?.lossNats).toBe(await lossOf(name, 6));
      expect(stderr).toContain("the best step, 6, on the whole validation split: validation loss ");
    }
    // Later steps are better, by the same measure.
    const best = readFileSync(at(name, "best"), "utf8");
    expect(best).not.toBe("step-000006\n");
    expect(await lossOf(name, "best")).toBeLessThan(await lossOf(name, 6));
  });

  it("is the next one if its weights are gone", async () => {
    const name = lucky("gone");
    rmSync(at(name, "step-000004"), { recursive: true });
    resealState(at(name), ({ state }) => Object.assign(Object(state.best), { step: 4 }));
    const { stderr } = await resume(name, "--measure-tokens", 100_000);
    expect(stderr).toContain("the best step, 4, cannot be evaluated again");
    expect(readFileSync(at(name, "best"), "utf8")).toMatch(/step-0000(08|10|12)/);
  });

  it("that was evaluated again does not change a step", async () => {
    await resume(lucky("one"));
    await resume(lucky("two"), "--measure-tokens", 100_000);
    const weights = (name: string) => readFileSync(at(name, "step-000012", "model.safetensors"), "hex");
    expect(weights("two")).toBe(weights("one"));
  });
});
