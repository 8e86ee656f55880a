/** Which model a command works with: by name, by step, the newest run, or the bundled one. */
import { cpSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { nopeekHere } from "../../support/in-process.ts";
import { expectComplaint, makeFolderWithText, parseLines, START_MS, TRAIN } from "../../support/program.ts";

const { folder, at } = makeFolderWithText(100);
const here = (...words: readonly (string | number)[]) => nopeekHere(folder, ...words);
const QUICK = ["--tokens", 2, "--seed", 3];

beforeAll(async () => {
  const flags = ["--steps", 6, "--checkpoint-interval", 2];
  for (const name of ["first-1", "second-1"]) {
    await here(...TRAIN, ...flags, "--out", `checkpoints/${name}`);
    // As if the last steps had made it worse.
    writeFileSync(at("checkpoints", name, "best"), "step-000004\n");
  }
  await here(...TRAIN, "--steps", 1, "--out", "elsewhere");
  cpSync(at("checkpoints/first-1"), at("checkpoints/unsaved-1"), { recursive: true });
  rmSync(at("checkpoints/unsaved-1/latest"));
}, START_MS);

/** Makes a run the one that saved a step last. */
function touch(run: string, seconds: number): void {
  utimesSync(at("checkpoints", run, "latest"), seconds, seconds);
}

describe("without a name", () => {
  it("every command takes the run that saved last, and says which one and which step", async () => {
    touch("first-1", 2_000_000_000);
    touch("second-1", 1_900_000_000);
    for (const words of [
      ["sample", ...QUICK],
      ["eval", "--json"],
      ["logits", "--prompt", "the"],
      ["verify", "--texts", 1, "--positions", 3],
    ]) {
      const { stderr, code } = await here(...words);
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(/^model checkpoints\/first-1, the newest run: its best step, 4\n/);
    }
    touch("second-1", 2_100_000_000);
    expect((await here("sample", ...QUICK)).stderr).toContain("model checkpoints/second-1, the newest run");
  });

  it("the bundled model speaks where there is no run, and as `tales` where there is one", async () => {
    mkdirSync(at("empty"), { recursive: true });
    const alone = await nopeekHere(at("empty"), "sample", ...QUICK);
    expect(alone).toMatchObject({ code: 0, stderr: "" });
    for (const words of [["tales"], ["--model", "tales"]])
      expect(await here("sample", ...words, ...QUICK)).toEqual(alone);
  });
});

describe("a run is named", () => {
  const lossOf = async (...words: readonly (string | number)[]) => {
    const { stdout, stderr } = await here("eval", ...words, "--json");
    return { lossNats: parseLines(stdout)[0].lossNats, stderr };
  };

  it("by its path, its name in checkpoints/, or one of its steps", async () => {
    const { lossNats } = await lossOf("checkpoints/first-1");
    for (const words of [["first-1"], ["--model", "first-1"], ["--model", "checkpoints/first-1"]])
      expect(await lossOf(...words)).toEqual({ lossNats, stderr: "" });
    expect((await here("eval", "elsewhere")).stderr).toMatch(/^model elsewhere: its best step, 1\n/);
  });

  it("with the step to use", async () => {
    const losses = new Map<string | number, unknown>();
    for (const step of [2, 4, 6, "latest", "best"])
      losses.set(step, (await lossOf("first-1", "--step", step)).lossNats);
    expect(losses.get("latest")).toBe(losses.get(6));
    expect(losses.get("best")).toBe(losses.get(4));
    expect(new Set(losses.values()).size).toBe(3);
    expect((await lossOf("first-1/step-000004")).lossNats).toBe(losses.get(4));
    const { stderr } = await here("sample", "first-1", "--step", 4, ...QUICK);
    expect(stderr).toContain("model checkpoints/first-1: step 4\n");
    expect((await here("sample", "first-1", "--step", "latest", ...QUICK)).stderr).toContain(
      "its latest step, 6",
    );
    expectComplaint(await here("eval", "first-1", "--step", 5), 1, "has no step step-000005", "step-000004");
  });

  it("wrongly: the nearest name is suggested", async () => {
    const words = ["sample", "eval", "verify"].map((command) => [command, "frist-1"]);
    for (const each of [
      ...words,
      ["logits", "frist-1", "--prompt", "the"],
      ["train", "--resume", "--out", "frist-1"],
    ])
      expectComplaint(
        await here(...each),
        1,
        "frist-1: there is no such folder; did you mean checkpoints/first-1?",
      );
    expectComplaint(
      await here("train", "--from", "secnd-1", "--data", "text.txt"),
      1,
      "did you mean checkpoints/second-1?",
    );
  });

  it("to resume, to fine-tune and to list", async () => {
    const resumed = await here("train", "--resume", "--out", "first-1", "--threads", 1, "--quiet");
    expect(resumed.stderr).toContain("saved in    checkpoints/first-1\n");
    const tuned = await here(
      "train",
      "--from",
      "first-1",
      "--data",
      "text.txt",
      "--steps",
      0,
      "--out",
      "tuned",
    );
    expect(tuned.stderr).toMatch(/fine-tunes {2}checkpoints\/first-1: its best step, 4\n/);
    const latest = ["--from", "first-1", "--from-step", "latest", "--data", "text.txt", "--steps", 0];
    expect((await here("train", ...latest, "--out", "tuned-2")).stderr).toContain("its latest step, 6\n");
    expect((await here("runs", "second-1")).stdout).toMatch(/^checkpoints\/second-1 /m);
    expectComplaint(await here("train", "--resume"), 2, "--resume continues the run in --out");
  });
});
