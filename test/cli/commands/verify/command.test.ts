/** `nopeek verify` and `nopeek lesson`, run as a person runs them. */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  expectComplaint,
  makeFolderWithText,
  nopeek,
  parseLines,
  START_MS,
  succeed,
  TRAIN,
} from "../../../support/program.ts";
import { fingerprint } from "../../../support/run-files.ts";

const { folder } = makeFolderWithText(300);
const run = ["--model", "run"] as const;
const CHECK_COUNT = 7;

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
  test("proves an honest model, in words", async () => {
    const { stdout, stderr } = await succeed(folder, "verify", ...run);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(CHECK_COUNT + 2);
    for (const line of lines.slice(0, CHECK_COUNT - 1)) expect(line).toMatch(/ ok$/);
    expect(lines[CHECK_COUNT - 1]).toMatch(/– {2}nobody knows the entropy of this model's text$/);
    expect(lines.at(-1)).toBe("6 checks passed: this model does not peek.");
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    expect(stderr).toContain("checking run on wasm: 2 texts of 13 tokens");
  });

  test("and as JSON; the same seed asks the same", async () => {
    const words = ["verify", ...run, "--json", "--texts", 3, "--positions", 7, "--seed", 5];
    const [first, again, other] = await Promise.all([
      succeed(folder, ...words),
      succeed(folder, ...words, "--threads", 1),
      succeed(folder, ...words, "--backend", "reference"),
    ]);
    expect(again.stdout).toBe(first.stdout);
    const [report] = parseLines(first.stdout);
    expect(report).toMatchObject({ ok: true, broken: null, model: "run", backend: "wasm", seed: 5 });
    expect(report.checks).toHaveLength(CHECK_COUNT);
    // Three texts, six cuts: 1 + 2 + … + 6 positions in front of one, and one behind each.
    expect(report.checks).toContainEqual({
      name: "later tokens, earlier logits",
      ok: true,
      skipped: null,
      compared: "63 positions, to the bit",
      comparisons: 3 * (21 + 6),
      failures: 0,
      counterExamples: [],
    });
    expect(parseLines(other.stdout)[0]).toMatchObject({ ok: true, backend: "reference" });
  });

  test("knows the floor of the tales", async () => {
    const { stdout } = await succeed(folder, "verify", "--positions", 5, "--texts", 1);
    expect(stdout).toMatch(/^loss and the entropy floor +0\.5776 nats a token, floor 0\.5146 +ok$/m);
    expect(stdout).toMatch(/^batched and alone +– {2}one text alone makes no batch$/m);
  });

  test.each([
    ["mask", "later tokens, earlier logits", /changing token 1 to ".+" of ".\|.*" changed the logit of/],
    ["shift", "gradients from the future", /the logits at position 0 depend on the\s+input at position 1,/],
    ["cache", "cached and uncached", /through a cache, .* tokens\s+at a time,\s+changed the logit/],
    ["padding", "padded and unpadded", /padded on the left: the\s+logit/],
  ])("--break %s is noticed by: %s", async (how, name, example) => {
    const before = fingerprint(join(folder, "run"));
    const { stdout, code } = await nopeek(folder, "verify", ...run, "--break", how);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^This is a copy in memory, broken on purpose \\(${how}\\):`));
    expect(stdout).toMatch(new RegExp(`^${name} .* FAILED$`, "m"));
    const said = stdout.slice(stdout.indexOf(`\n${name}: `)).replaceAll("\n  ", " ");
    expect(said).toMatch(example);
    expect(stdout).toMatch(/It was broken on purpose, and \d checks? of 6 noticed\./);
    expect(fingerprint(join(folder, "run"))).toBe(before);
  });

  test("says in JSON that the copy was broken", async () => {
    const { stdout, code } = await nopeek(folder, "verify", ...run, "--break", "cache", "--json");
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
  ] as const)("%j is refused", async (words, code, said) => {
    const outcome = await nopeek(folder, "verify", ...(words[0] === "--model" ? [] : run), ...words);
    expect(outcome.code).toBe(code);
    for (const part of said) expect(outcome.stderr).toContain(part);
    expect(outcome.stdout).toBe("");
  });
});

describe("verify, of the rest of the family", () => {
  test("looks for what an encoder should see, and for what it should not", async () => {
    const { stdout, stderr } = await succeed(folder, "verify", "--model", "encoder", "--positions", 7);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => line.endsWith(" ok"))).toHaveLength(4);
    expect(lines[0]).toMatch(/^every position, both ways +49 pairs of positions, none 0 +ok$/);
    expect(stdout).toContain(
      "4 checks passed: this model sees both ways, as an encoder should, and no\npadding.",
    );
    expect(stdout).not.toContain("peek");
    expect(stderr).toContain("checking encoder on wasm: 2 texts of 7 tokens");
  });

  test("asks of a decoder what it asks of a gpt, and of its sources what is theirs", async () => {
    const { stdout } = await succeed(folder, "verify", "--model", "seq2seq");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => line.endsWith(" ok"))).toHaveLength(7);
    expect(stdout).toMatch(/^later tokens, earlier logits /m);
    expect(stdout).toMatch(/^sources, padded and changed /m);
    expect(lines.at(-1)).toBe("7 checks passed: this model's decoder does not peek.");
  });

  test.each([
    [
      "encoder",
      "mask",
      "every position, both ways",
      /GPT's mask in it/,
      /not depend on the\s+input at position 1,/,
    ],
    ["encoder", "padding", "padded and unpadded", /as if it were text/, /padded on the left: the\s+logit/],
    ["seq2seq", "shift", "gradients from the future", /in the decoder, the mask/, /in "\[start\]\|[a-d]+/],
    ["seq2seq", "cache", "cached and uncached", /loses/, /reading "\[start\].* through a cache/],
    [
      "seq2seq",
      "padding",
      "sources, padded and changed",
      /as if it were text/,
      /after the source "[a-d]+", in a/,
    ],
  ])("%s --break %s is noticed by: %s", async (model, how, name, meaning, example) => {
    const before = fingerprint(join(folder, model));
    const { stdout, code } = await nopeek(folder, "verify", "--model", model, "--break", how);
    expect(code).toBe(1);
    expect(stdout.slice(0, stdout.indexOf("\n\n")).replaceAll("\n", " ")).toMatch(meaning);
    expect(stdout).toMatch(new RegExp(`^${name} .* FAILED$`, "m"));
    expect(stdout.slice(stdout.indexOf(`\n${name}: `)).replaceAll("\n  ", " ")).toMatch(example);
    expect(fingerprint(join(folder, model))).toBe(before);
  });

  test.each(["shift", "cache"])("an encoder has nothing for --break %s", async (how) => {
    const outcome = await nopeek(folder, "verify", "--model", "encoder", "--break", how);
    expectComplaint(outcome, 2, `--break ${how}: an encoder can be broken by mask or padding; it sees all`);
  });
});

describe("lesson", () => {
  test("lists what there is", async () => {
    const { stdout } = await succeed(folder, "lesson");
    expect(stdout).toMatch(/^nopeek lesson leakage .*\nnopeek lesson mask .*\n$/);
  });

  test("names the nearest to one that there is not", async () => {
    expectComplaint(await nopeek(folder, "lesson", "masc"), 2, 'no lesson "masc"', '"mask"', "leakage, mask");
  });

  test("mask shows a head in 80 columns", async () => {
    const { stdout } = await succeed(
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
      /Check: the fused kernel gives the same 48 numbers, (to the bit|within \d\.\de-(?:[7-9]|1\d)\.)/,
    );
  });

  test("mask as JSON, on a model of one's own", async () => {
    const { stdout } = await succeed(folder, "lesson", "mask", ...run, "--prompt", "the", "--json");
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
    [["--prompt", ""], "--prompt must be 1 to 9 tokens long here, to fit the page: got 0"],
    [["--prompt", "the fox sees"], "got 12"],
    [["--prompt", "the", "--layer", 1], "--layer must be in 0 … 0 for this model: got 1"],
    [["--prompt", "the", "--head", -1], "--head must be in 0 … 1 for this model: got -1"],
  ])("mask %j is refused", async (words, said) => {
    expectComplaint(await nopeek(folder, "lesson", "mask", ...run, ...words), 2, said);
  });

  test("leakage prints its page from a few steps too", async () => {
    const { stdout, stderr } = await succeed(folder, "lesson", "leakage", "--steps", 2);
    expect(stdout.split("\n").every((line) => line.length <= 80)).toBe(true);
    for (const part of ["floor: what the tales leave open", "● with the mask", "○ without it", "Why: "]) {
      expect(stdout).toContain(part);
    }
    expect(stderr).toContain("without mask: step 2/2  loss");
  }, 30_000);

  test("leakage refuses no steps", async () => {
    expectComplaint(
      await nopeek(folder, "lesson", "leakage", "--steps", 0),
      2,
      "--steps must be a whole number",
    );
  });
});
