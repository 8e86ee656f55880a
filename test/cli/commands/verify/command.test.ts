/** `nopeek verify` and `nopeek lesson`. Their checks themselves are tested in test/verify and test/lesson. */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { nopeekHere, succeedHere } from "../../../support/in-process.ts";
import {
  expectComplaint,
  makeFolderWithText,
  parseLines,
  START_MS,
  succeed,
  TRAIN,
} from "../../../support/program.ts";
import { fingerprint } from "../../../support/run-files.ts";

const { folder } = makeFolderWithText(300);
const run = ["--model", "run"] as const;
const CHECK_COUNT = 7;
const ONE = ["--threads", 1] as const;
const verify = (...words: readonly (string | number)[]) => nopeekHere(folder, "verify", ...words, ...ONE);
const verified = (...words: readonly (string | number)[]) => succeedHere(folder, "verify", ...words, ...ONE);

beforeAll(async () => {
  const strings = ["--model", "seq2seq", "--task", "sort", "--alphabet-size", 4, "--max-length", 7];
  const tiny = ["--layers", 1, "--heads", 2, "--d-model", 6, "--threads", 1, "--steps", 5];
  await Promise.all([
    succeed(folder, ...TRAIN, "--out", "run", "--steps", 5),
    succeed(folder, ...TRAIN, "--model", "encoder", "--out", "encoder", "--steps", 5),
    succeed(folder, "train", ...strings, ...tiny, "--out", "seq2seq"),
  ]);
}, START_MS);

describe("verify", () => {
  test("passes an intact model", async () => {
    const { stdout, stderr } = await succeed(folder, "verify", ...run);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(CHECK_COUNT + 2);
    for (const line of lines.slice(0, CHECK_COUNT - 1)) expect(line).toMatch(/ ok$/);
    expect(lines[CHECK_COUNT - 1]).toMatch(/– {2}the entropy of this model's text is unknown$/);
    expect(lines.at(-1)).toBe("6 checks passed: this model does not peek.");
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    expect(stderr).toMatch(/checking run on the (wasm|native) backend: 2 texts of 13 tokens/);
  });

  test("prints JSON, and the same seed runs the same checks", async () => {
    const words = ["verify", ...run, "--json", "--texts", 3, "--positions", 7, "--seed", 5];
    const [first, again, other] = await Promise.all([
      succeed(folder, ...words),
      succeed(folder, ...words, "--threads", 1),
      succeed(folder, ...words, "--backend", "reference"),
    ]);
    expect(again.stdout).toBe(first.stdout);
    const [report] = parseLines(first.stdout);
    expect(report).toMatchObject({ ok: true, broken: null, model: "run", seed: 5 });
    expect(report.checks).toHaveLength(CHECK_COUNT);
    // Three texts with six cuts each: 1 + 2 + … + 6 positions before a cut, and one after each cut.
    expect(report.checks).toContainEqual({
      name: "later tokens, earlier logits",
      ok: true,
      skipped: null,
      compared: "63 positions, bit for bit",
      comparisons: 3 * (21 + 6),
      failures: 0,
      counterExamples: [],
    });
    expect(parseLines(other.stdout)[0]).toMatchObject({ ok: true, backend: "reference" });
  });

  test("checks the bundled model against the entropy of the tales", async () => {
    const { stdout } = await verified("--positions", 5, "--texts", 1);
    expect(stdout).toMatch(/^loss vs\. entropy floor +0\.5552 nats per token, floor 0\.5146 +ok$/m);
    expect(stdout).toMatch(/^batched vs\. alone +– {2}needs at least two texts$/m);
  });

  test.each([
    ["mask", "later tokens, earlier logits", /changing token 1 to ".+" in ".\|.*" changed the logit of/],
    ["shift", "gradients from the future", /the logits at position 0 depend on the\s+input at position 1,/],
    ["cache", "cached vs. uncached", /through a cache, .* tokens\s+at a time,\s+changed the logit/],
    ["padding", "padded vs. unpadded", /padded on the left: the\s+logit/],
  ])("--break %s is caught by: %s", async (how, name, example) => {
    const before = fingerprint(join(folder, "run"));
    const { stdout, code } = await verify(...run, "--break", how);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^Checking an in-memory copy with an injected fault \\(${how}\\):`));
    expect(stdout).toMatch(new RegExp(`^${name} .* FAILED$`, "m"));
    const said = stdout.slice(stdout.indexOf(`\n${name}: `)).replaceAll("\n  ", " ");
    expect(said).toMatch(example);
    expect(stdout).toMatch(/^\d of 6 checks caught the injected fault\./m);
    expect(fingerprint(join(folder, "run"))).toBe(before);
  });

  test("reports the injected fault in JSON", async () => {
    const { stdout, code } = await nopeekHere(folder, "verify", ...run, "--break", "cache", "--json");
    expect(code).toBe(1);
    const [report] = parseLines(stdout);
    expect(report).toMatchObject({ ok: false, broken: "cache" });
  });

  test.each([
    [["--texts", 0], 2, ["--texts must be a whole number of at least 1: got 0"]],
    [["--positions", 14], 2, ["--positions", "from 1 to the model's context of 13: got 14"]],
    [["--seed", -1], 2, ["--seed must be a whole number of at least 0: got -1"]],
    [["--break", "heart"], 2, ["--break", "mask, shift, cache, padding"]],
    [["--model", "nowhere"], 1, ["nowhere", "there is no such folder"]],
  ] as const)("rejects %j", async (words, code, said) => {
    const outcome = await verify(...(words[0] === "--model" ? [] : run), ...words);
    expect(outcome.code).toBe(code);
    for (const part of said) expect(outcome.stderr).toContain(part);
    expect(outcome.stdout).toBe("");
  });
});

describe("verify on encoders and encoder–decoders", () => {
  test("checks that an encoder attends in both directions and never to padding", async () => {
    const { stdout, stderr } = await verified("--model", "encoder", "--positions", 7);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => line.endsWith(" ok"))).toHaveLength(4);
    expect(lines[0]).toMatch(/^attends in both directions +49 pairs of positions, none 0 +ok$/);
    expect(stdout).toContain(
      "4 checks passed: this model attends in both directions, as an encoder should,\nand never to padding.",
    );
    expect(stdout).not.toContain("peek");
    expect(stderr).toMatch(/checking encoder on the (wasm|native) backend: 2 texts of 7 tokens/);
  });

  test("runs the checks of a gpt on a decoder, and checks its sources", async () => {
    const { stdout } = await verified("--model", "seq2seq");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => line.endsWith(" ok"))).toHaveLength(7);
    expect(stdout).toMatch(/^later tokens, earlier logits /m);
    expect(stdout).toMatch(/^padded and changed sources /m);
    expect(lines.at(-1)).toBe("7 checks passed: this model's decoder does not peek.");
  });

  test.each([
    [
      "encoder",
      "mask",
      "attends in both directions",
      /GPT's causal mask/,
      /not depend on the\s+input at position 1 in any/,
    ],
    ["encoder", "padding", "padded vs. unpadded", /as if it were text/, /padded on the left: the\s+logit/],
    [
      "seq2seq",
      "shift",
      "gradients from the future",
      /in the decoder, the causal mask/,
      /in "\[start\]\|[a-d]+/,
    ],
    ["seq2seq", "cache", "cached vs. uncached", /loses/, /reading "\[start\].* through a cache/],
    [
      "seq2seq",
      "padding",
      "padded and changed sources",
      /as if it were text/,
      /for the source "[a-d]+", in a/,
    ],
  ])("%s --break %s is caught by: %s", async (model, how, name, meaning, example) => {
    const before = fingerprint(join(folder, model));
    const { stdout, code } = await verify("--model", model, "--break", how);
    expect(code).toBe(1);
    expect(stdout.slice(0, stdout.indexOf("\n\n")).replaceAll("\n", " ")).toMatch(meaning);
    expect(stdout).toMatch(new RegExp(`^${name} .* FAILED$`, "m"));
    expect(stdout.slice(stdout.indexOf(`\n${name}: `)).replaceAll("\n  ", " ")).toMatch(example);
    expect(fingerprint(join(folder, model))).toBe(before);
  });

  test.each(["shift", "cache"])("an encoder does not support --break %s", async (how) => {
    const outcome = await verify("--model", "encoder", "--break", how);
    expectComplaint(outcome, 2, `--break ${how}: an encoder only supports mask and padding; it attends`);
  });
});

describe("lesson", () => {
  test("lists the lessons", async () => {
    const { stdout } = await succeedHere(folder, "lesson");
    expect(stdout).toMatch(/^nopeek lesson leakage .*\nnopeek lesson mask .*\n$/);
  });

  test("suggests the nearest name for an unknown lesson", async () => {
    expectComplaint(
      await nopeekHere(folder, "lesson", "masc"),
      2,
      'no lesson "masc"',
      '"mask"',
      "leakage and mask",
    );
  });

  test("mask prints a head in 80 columns", async () => {
    const { stdout } = await succeedHere(
      folder,
      "lesson",
      "mask",
      "--layer",
      1,
      "--head",
      3,
      "--prompt",
      "Ulf's".slice(0, 3),
    );
    const lines = stdout.split("\n");
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    expect(stdout).toMatch(/^ *"U" +1\.000 +0 +0$/m);
    expect(stdout).toMatch(
      /Check: the fused kernel computes the same 48 numbers, (bit for bit|within \d\.\de-(?:[7-9]|1\d)\.)/,
    );
  });

  test("mask prints JSON for the user's own model", async () => {
    const { stdout } = await succeedHere(
      folder,
      "lesson",
      "mask",
      ...run,
      "--prompt",
      "the",
      "--json",
      ...ONE,
    );
    const [lesson] = parseLines(stdout);
    expect(lesson).toMatchObject({ lesson: "mask", prompt: "the", layer: 0, head: 0, headSize: 3 });
    expect(lesson.weights).toMatchObject([[1, 0, 0], { 2: 0 }, {}]);
    expect(lesson.mask).toEqual([
      [0, null, null],
      [0, 0, null],
      [0, 0, 0],
    ]);
  });

  test.each([
    [["--prompt", ""], "--prompt must be 1 to 9 tokens long to fit in 80 columns: got 0"],
    [["--prompt", "the fox sees"], "got 12"],
    [["--prompt", "the", "--layer", 1], "--layer must be in 0 … 0 for this model: got 1"],
    [["--prompt", "the", "--head", -1], "--head must be in 0 … 1 for this model: got -1"],
  ])("mask rejects %j", async (words, said) => {
    expectComplaint(await nopeekHere(folder, "lesson", "mask", ...run, ...words), 2, said);
  });

  test("leakage prints its page after a few steps too", async () => {
    const { stdout, stderr } = await succeed(folder, "lesson", "leakage", "--steps", 2);
    expect(stdout.split("\n").every((line) => line.length <= 80)).toBe(true);
    for (const part of ["entropy floor of the tales", "● with the mask", "○ without the mask", "Why: "]) {
      expect(stdout).toContain(part);
    }
    expect(stderr).toContain("without mask: step 2/2  loss");
  }, 30_000);

  test("leakage rejects 0 steps", async () => {
    expectComplaint(
      await nopeekHere(folder, "lesson", "leakage", "--steps", 0),
      2,
      "--steps must be a whole number",
    );
  });
});
