/** Runs the examples against the built package, imported by name, and checks what they print. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { makeFolder, Program } from "../support/program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const examples = join(root, "docs/examples");
const folder = makeFolder(); // Fails if nothing is built.

/** Runs an example and returns the lines it prints. */
async function run(name: string): Promise<string[]> {
  const words = ["--import", "tsx", join(examples, name)];
  const { stdout, stderr, code } = await new Program(process.execPath, words, root).outcome;
  expect(code, stderr).toBe(0);
  expect(stderr).toBe("");
  return stdout.trimEnd().split("\n");
}

/** The numbers in a line, in order. */
const numbersOf = (line: string) => (line.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);

test("every example is tested here, imports only the package, and shows its command", () => {
  const names = readdirSync(examples);
  const self = readFileSync(fileURLToPath(import.meta.url), "utf8");
  expect(names.length).toBeGreaterThanOrEqual(5);
  for (const name of names) {
    const source = readFileSync(join(examples, name), "utf8");
    expect(self).toContain(`run("${name}")`);
    for (const [, target] of source.matchAll(/from "([^"]+)"/g)) expect(target).toMatch(/^nopeek(\/ops)?$/);
    expect(source).toContain(`npx tsx docs/examples/${name}`);
  }
});

describe("examples", () => {
  test("quickstart: a few lines train a model that continues its text", async () => {
    expect(await run("quickstart.ts")).toEqual(["the cat sat on the mat and the dog sat on the log."]);
    const source = readFileSync(join(examples, "quickstart.ts"), "utf8");
    const code = source.slice(source.indexOf("*/") + 2).split("\n");
    expect(code.filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(8);
  });

  test("the code in the README runs, with fewer steps", async () => {
    const [, code] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
    const text = join(folder, "my.txt");
    writeFileSync(text, "Once there was a cat, and once there was a dog. ".repeat(40));
    const shorter = (code ?? "").replace('"my.txt"', JSON.stringify(text)).replace("steps: 500", "steps: 2");
    expect(shorter).toContain("steps: 2");
    const words = ["--input-type=module", "--eval", shorter];
    const { stdout, stderr, code: exitCode } = await new Program(process.execPath, words, root).outcome;
    expect(exitCode, stderr).toBe(0);
    expect(stdout.trimEnd().length).toBeGreaterThanOrEqual(80);
    expect(code?.trimEnd().split("\n").length).toBeLessThanOrEqual(8);
  });

  test("custom op: its backward is the difference of its values", async () => {
    const lines = await run("custom-op.ts");
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      const [x, backward, difference] = numbersOf(line);
      expect(backward).toBeCloseTo(1 / (1 + Math.exp(-x)), 7);
      expect(difference).toBeCloseTo(backward, 6);
    }
  });

  test("custom layer: two layers learn XOR", async () => {
    const answers = (await run("custom-layer.ts")).map((line) => numbersOf(line));
    expect(answers.map(([a, b]) => [a, b])).toEqual([
      [-1, -1],
      [-1, 1],
      [1, -1],
      [1, 1],
    ]);
    for (const [a, b, answer] of answers) expect(Math.abs(answer + a * b)).toBeLessThan(0.15);
  });

  test("attention maps: each head of the bundled model attends to a position of the prompt", async () => {
    const lines = (await run("attention-maps.ts")).map((line) => numbersOf(line));
    expect(lines.map(([layer, head]) => [layer, head])).toEqual(
      [0, 1].flatMap((l) => [0, 1, 2, 3].map((h) => [l, h])),
    );
    for (const [, , last, share, most] of lines) {
      expect(last).toBe("One day the cat".length - 1);
      // The largest of 15 shares is at least a 15th.
      expect(share).toBeGreaterThan(6);
      expect(share).toBeLessThanOrEqual(100);
      expect(most).toBeLessThanOrEqual(last);
    }
  });

  test("no example reaches below the public face of a tensor", () => {
    for (const name of readdirSync(examples)) {
      const source = readFileSync(join(examples, name), "utf8");
      expect(source, name).not.toMatch(/\.(storage|buffer|gradientTarget)\b|\bbackend\.(?!close\b)/);
    }
  });

  test("autograd: the first derivatives match those on paper, and the line fits", async () => {
    const [first, last] = await run("autograd.ts");
    // At a = b = 0 the error is −y: mean y² = 33, −2·mean(x·y) = −28, −2·mean y = −10.
    expect(numbersOf(first)).toEqual([33, -28, -10]);
    expect(last).toBe("y = 2.0000·x + 1.0000");
  });

  test("train: the loss starts at that of a uniform guess, and the model learns the text", async () => {
    const lines = await run("train.ts");
    const text = "the cat sat on the mat and the dog sat on the log.";
    const losses = lines.slice(0, -1).map((line) => numbersOf(line)[1]);
    // An untrained model finds all characters about equally likely.
    expect(Math.abs(losses[0] - Math.log(new Set(text).size))).toBeLessThan(0.2);
    expect(losses[losses.length - 1]).toBeLessThan(0.3);
    expect(lines[lines.length - 1]).toBe(text);
  });

  test("stream: continues the prompt up to the stop string", async () => {
    const lines = await run("stream.ts");
    expect(lines).toHaveLength(1);
    // The bundled model and the seed decide the text, to the letter.
    expect(lines[0]).toMatch(
      /^One misty Sunday in Ashford, Hetty and Tam rushed in\. And they danced to ".+\.$/,
    );
  });

  test("beam: a wider search finds a better text, and scores match a pass without a cache", async () => {
    const [greedy, greedyAgain, wide, wideAgain] = (await run("beam.ts")).map(
      (line) => numbersOf(line).at(-1) ?? Number.NaN,
    );
    expect(wide).toBeGreaterThan(greedy);
    expect(Math.abs(greedyAgain - greedy)).toBeLessThan(2e-4);
    expect(Math.abs(wideAgain - wide)).toBeLessThan(2e-4);
  });

  test("seq2seq: sorts held-out strings", async () => {
    const [verdict, ...shown] = await run("seq2seq.ts");
    const [right, all] = numbersOf(verdict);
    expect(all).toBeGreaterThan(50);
    expect(right / all).toBeGreaterThan(0.95);
    for (const line of shown) {
      const [source, answer] = line.split(" → ");
      expect(answer).toBe([...source].sort().join(""));
    }
  });
});
