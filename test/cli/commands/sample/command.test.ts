/** `nopeek sample`: stop texts, batches, beam search, explanations. */
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../../../src/run/safetensors.ts";
import { nopeekHere, succeedHere, succeedInJsonHere } from "../../../support/in-process.ts";
import {
  expectComplaint,
  MAIN,
  makeFolderWithText,
  parseLines,
  START_MS,
  start,
  succeed,
  TRAIN,
} from "../../../support/program.ts";
import { latestStep, reseal } from "../../../support/run-files.ts";

const { folder, text: TEXT } = makeFolderWithText(400);

beforeAll(async () => {
  const flags = ["--steps", 60, "--learning-rate", 0.02, "--warmup-steps", 2, "--eval-batches", 1];
  await succeed(folder, ...TRAIN, "--out", "run", ...flags);
}, START_MS);

type Words = readonly (string | number)[];
const words = (...more: Words) => ["sample", "--model", "run", ...more];
/** The objects that --json prints; stderr must be empty. */
const lines = (...more: Words) => succeedInJsonHere(folder, ...words(...more));
const line = async (...more: Words) => {
  const all = await lines(...more);
  expect(all).toHaveLength(1);
  return all[0];
};

describe("--stop", () => {
  it("ends before the stop text and reports it; a stop text that never occurs has no effect", async () => {
    const flags = ["--prompt", "the ", "--tokens", 80, "--seed", 5];
    const whole = await line(...flags);
    const text = String(whole.text);
    // The first pair of characters, after a dozen, that has not occurred before.
    const places = Array.from(text, (_, i) => i).slice(12);
    const at = places.find((i) => text.indexOf(text.slice(i, i + 2)) === i) ?? 0;
    const stop = text.slice(at, at + 2);
    expect(stop).toHaveLength(2);

    const stopped = await line(...flags, "--stop", "eeeeee", "--stop", stop);
    expect(stopped).toMatchObject({ text: text.slice(0, at), ended: "stop", stop });
    expect(stopped.tokens).toEqual(Array.isArray(whole.tokens) && whole.tokens.slice(0, at + 2));
    const shown = await succeedHere(folder, ...words(...flags, "--stop", stop));
    expect(shown.stdout).toBe(`the ${text.slice(0, at)}\n`);
    const unmet = await line(...flags, "--stop", "eeeeee");
    expect(unmet).toEqual({ ...whole, ended: "length", stop: null });
  });
});

describe("escapes", () => {
  it("are always part of a stop text, and of a prompt on request", async () => {
    const flags = ["--prompt", "the ", "--tokens", 200];
    const stopped = await line(...flags, "--stop", "\\n");
    expect(stopped).toMatchObject({ ended: "stop", stop: "\n" });
    const [prompt] = await lines("--prompt", "a\\nthe\\u0020", "--escapes", "--tokens", 2);
    expect(prompt.prompt).toBe("a\nthe ");
    expectComplaint(await nopeekHere(folder, ...words("--prompt", "a\\nthe")), 1, '"\\" (U+005C)');
    expectComplaint(await nopeekHere(folder, ...words("--stop", "\\d")), 2, "--stop: \\d is no escape");
  });

  it("a stop text that the model never writes is reported", async () => {
    const given = words("--tokens", 3, "--stop", "aΩé", "--stop", "e");
    const { stderr } = await succeedHere(folder, ...given);
    expect(stderr).toBe(
      'model run: its best step, 60\n--stop "aΩé" never occurs: this model\'s vocabulary has no "Ω" "é"\n',
    );
  });
});

describe("the prompt", () => {
  it("is left out with --no-echo", async () => {
    const flags = ["--prompt", "the fox", "--tokens", 9];
    const { text } = await line(...flags);
    expect((await succeedHere(folder, ...words(...flags, "--no-echo"))).stdout).toBe(`${text}\n`);
    const beams = ["--strategy", "beam", "--no-echo"];
    const { text: found } = await line(...flags, ...beams);
    expect((await succeedHere(folder, ...words(...flags, ...beams))).stdout).toBe(`${found}\n`);
  });

  it("is read from standard input, without the line break at its end", async () => {
    const flags = ["--tokens", 5, "--json"];
    const given = ["sample", "--model", "run", "--prompt", "-", ...flags.map(String)];
    const { stdout } = spawnSync(process.execPath, [MAIN, ...given], {
      cwd: folder,
      input: "the fox\nsees\n",
      encoding: "utf8",
    });
    expect(parseLines(stdout)).toEqual([await line("--prompt", "the fox\nsees", "--tokens", 5)]);
    expectComplaint(
      await nopeekHere(folder, ...words("--prompt", "-", "--prompt", "-")),
      2,
      "--prompt -",
      "once",
    );
  });
});

describe("many texts", () => {
  const prompts = ["--prompt", "the fox sees a bird", "--prompt", "a", "--prompt", "old trees"];
  const flags = ["--tokens", 30, "--seed", 9, "--repetition-penalty", 1.2];

  it("are one JSON object per line, each the same as when generated alone", async () => {
    const together = await lines(...prompts, ...flags, "--samples", 2);
    expect(together.map(({ prompt, sample }) => [prompt, sample])).toEqual([
      ["the fox sees a bird", 0],
      ["the fox sees a bird", 1],
      ["a", 0],
      ["a", 1],
      ["old trees", 0],
      ["old trees", 1],
    ]);
    const { sample, ...first } = together[4];
    expect(await line("--prompt", "old trees", ...flags)).toEqual(first);
    expect(together[4].text).not.toBe(together[5].text);
    const many = await lines("--prompt", "a", ...flags, "--samples", 70);
    expect(many).toHaveLength(70);
    expect(many.slice(0, 2)).toEqual(together.slice(2, 4));
    expect(many[69].sample).toBe(69);
    expect(new Set(many.map(({ text }) => text)).size).toBe(70);
  });

  it("are printed below each other with their numbers", async () => {
    const { stdout } = await succeedHere(folder, ...words(...prompts.slice(2), ...flags));
    const [a, trees] = await lines(...prompts.slice(2), ...flags);
    expect(stdout).toBe(`── text 1 of 2 ──\na${a.text}\n── text 2 of 2 ──\nold trees${trees.text}\n`);
  });

  it("have the log probability of every token and their sum", async () => {
    const { tokens, logProbabilities, logProbability } = await line("--prompt", "the", "--tokens", 1);
    const scores = await succeedHere(folder, "logits", "--model", "run", "--prompt", "the", "--json");
    const [{ logits }] = parseLines(scores.stdout);
    const rows: number[][] = Array.isArray(logits) ? logits : [];
    const last = rows[rows.length - 1];
    const total = last.reduce((sum, logit) => sum + Math.exp(logit), 0);
    const token = Array.isArray(tokens) ? Number(tokens[0]) : -1;
    expect(logProbabilities).toEqual([logProbability]);
    expect(logProbability).toBeCloseTo(last[token] - Math.log(total), 6);
  });
});

describe("--strategy beam", () => {
  it("returns results no less probable than greedy, also with more beams than tokens", async () => {
    const flags = ["--prompt", "the fox", "--tokens", 20];
    const greedy = await line(...flags, "--strategy", "greedy");
    const found = await lines(...flags, "--strategy", "beam", "--beams", 100, "--best", 3);
    expect(found.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    const scores = found.map(({ score }) => Number(score));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(found.map(({ logProbability }) => logProbability)).toEqual(scores);
    expect(scores[0]).toBeGreaterThanOrEqual(Number(greedy.logProbability));
    expect(new Set(found.map(({ text }) => text)).size).toBe(3);
    const one = await line(...flags, "--strategy", "beam", "--beams", 1);
    expect(one.tokens).toEqual(greedy.tokens);
  });

  it("prints one result as plain text and several with their scores; a stop text ends each", async () => {
    const flags = ["--prompt", "the fox", "--tokens", 20, "--strategy", "beam", "--stop", "e", "--best"];
    const results = await lines(...flags, 2);
    for (const { text, ended } of results) {
      expect(text).not.toContain("e");
      expect(["stop", "length"]).toContain(ended);
    }
    expect(results.map(({ ended }) => ended)).toContain("stop");
    const { stdout } = await succeedHere(folder, ...words(...flags, 2));
    const blocks = results.map(
      ({ rank, score, text }) =>
        `── best ${rank} of 2, score ${Number(score).toFixed(4)} ──\nthe fox${text}\n`,
    );
    expect(stdout).toBe(blocks.join(""));
    const alone = await succeedHere(folder, ...words(...flags, 1));
    expect(alone.stdout).toBe(`the fox${results[0].text}\n`);
  });
});

describe("--explain", () => {
  const flags = ["--prompt", "the fox", "--tokens", 4, "--top-k", 5, "--no-repeat-ngram", 1];

  it("explains each step on stderr in 80 columns and leaves stdout unchanged", async () => {
    const plain = await succeedHere(folder, ...words(...flags));
    const { stdout, stderr } = await succeedHere(folder, ...words(...flags, "--explain"));
    expect(stdout).toBe(plain.stdout);
    expect(plain.stderr).toBe("model run: its best step, 60\n");
    expect(stderr.match(/^step \d: ".*" chosen, /gm)).toHaveLength(4);
    expect(stderr.match(/^ {4}no-repeat n-gram 1: \d+ left; \d+ dropped/gm)).toHaveLength(4);
    expect(stderr.match(/^ {4}top-k 5: 5 left; \d+ dropped: "/gm)).toHaveLength(4);
    for (const each of stderr.split("\n")) expect(each.length, each).toBeLessThanOrEqual(80);
  });

  it("is a field of the JSON, also for a beam search", async () => {
    const { steps, tokens } = await line(...flags, "--explain");
    expect(Array.isArray(steps) && steps.map(({ token }) => token)).toEqual(tokens);
    const search = ["--prompt", "the", "--tokens", 3, "--strategy", "beam", "--best", 2, "--explain"];
    const [best, second] = await lines(...search);
    expect(best.steps).toHaveLength(3);
    expect(second.steps).toBeUndefined();
    const { stderr } = await succeedHere(folder, ...words(...search));
    expect(stderr.match(/^step \d: \d+ continuations compared, [45] kept/gm)).toHaveLength(3);
  });
});

describe("a closed pipe", () => {
  it("ends sampling quietly", async () => {
    const program = start(folder, ...words("--samples", 1000, "--tokens", 300));
    await program.shows(/text 1 of 1000/, "stdout");
    program.process.stdout?.destroy();
    expect(await program.outcome).toMatchObject({
      code: 0,
      signal: null,
      stderr: "model run: its best step, 60\n",
    });
  });
});

describe("a model whose weights are not numbers", () => {
  it("is reported as broken by every command, not as bad usage", async () => {
    const broken = join(folder, "broken");
    cpSync(join(folder, "run"), broken, { recursive: true });
    const weights = readFileSync(join(latestStep(broken), "model.safetensors"));
    const { tensors } = decodeSafetensors(weights, "model");
    tensors.get("tokenEmbedding")?.values.fill(Number.NaN);
    reseal(broken, encodeSafetensors(tensors));
    for (const words of [
      ["sample"],
      ["sample", "--strategy", "beam"],
      ["eval"],
      ["eval", "--data", "text.txt", "--json"],
      ["logits", "--prompt", "the"],
      ["verify"],
    ]) {
      const [command, ...flags] = words;
      const outcome = await nopeekHere(folder, command, "broken", ...flags);
      expectComplaint(
        outcome,
        1,
        '"tokenEmbedding" holds a value that is not finite (NaN, at index 0)',
        "--step",
      );
    }
  });
});

it("a model whose weights are finite, and whose loss is not, fails to be evaluated", async () => {
  const huge = join(folder, "huge");
  cpSync(join(folder, "run"), huge, { recursive: true });
  const { tensors } = decodeSafetensors(readFileSync(join(latestStep(huge), "model.safetensors")), "model");
  for (const { values } of tensors.values()) values.fill(1e38);
  reseal(huge, encodeSafetensors(tensors));
  for (const flags of [[], ["--json"]])
    expectComplaint(await nopeekHere(folder, "eval", "huge", ...flags), 1, "huge: its loss is NaN");
});

describe("--unknown", () => {
  it("drops unknown characters, lists them, and uses the rest of the prompt", async () => {
    const given = words("--tokens", 9, "--json", "--prompt");
    const dropped = await succeedHere(folder, ...given, "thΩe éfox", "--unknown", "drop");
    expect(dropped.stderr).toBe('dropped     2 characters that the model does not know: "Ω" "é"\n');
    const [known] = await lines("--tokens", 9, "--prompt", "the fox");
    expect(parseLines(dropped.stdout)).toEqual([known]);
    expect(known.prompt).toBe("the fox");
    const logits = ["logits", "--model", "run", "--json", "--prompt"];
    const scored = await succeedHere(folder, ...logits, "thΩe", "--unknown", "drop");
    expect(scored.stdout).toBe((await succeedHere(folder, ...logits, "the")).stdout);
  });

  it("evaluates the rest of a text", async () => {
    writeFileSync(join(folder, "greek.txt"), `${TEXT.replaceAll("fox", "fΩox")}Ω`);
    const measure = ["eval", "--model", "run", "--split", "all", "--json", "--data"];
    const outcome = await succeedHere(folder, ...measure, "greek.txt", "--unknown", "drop");
    expect(outcome.stderr).toMatch(/^dropped .* characters that the model does not know: "Ω"$/m);
    expect(outcome.stdout).toBe((await succeedHere(folder, ...measure, "text.txt")).stdout);
  });
});

it("greedy lists the flags that it ignores", async () => {
  const { stderr } = await succeedHere(folder, ...words("--tokens", 3, "--strategy", "greedy", "--top-k", 3));
  expect(stderr).toBe(
    "model run: its best step, 60\n--strategy greedy always chooses the most probable token, so it ignores --top-k\n",
  );
});
