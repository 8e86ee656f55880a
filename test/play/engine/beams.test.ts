/** The tree of the page is what `nopeek sample --strategy beam --explain` computes. */
import { describe, expect, test } from "vitest";
import { NopeekError } from "../../../src/errors.ts";
import { type BeamsRequest, beams } from "../../../src/play/engine/beams.ts";
import { Random } from "../../../src/random.ts";
import { generate } from "../../../src/sample/generate.ts";
import { nopeekHere } from "../../support/in-process.ts";
import { nodeEngine } from "../../support/play.ts";
import { makeFolder } from "../../support/program.ts";

const PROMPT = "By the oak sat ";

function requestOf(changes: Partial<BeamsRequest>): BeamsRequest {
  return {
    ...{ model: "shipped", mask: "on", prompt: PROMPT },
    ...{ beams: 3, tokens: 6, lengthPenalty: 0, end: "" },
    ...changes,
  };
}

interface Path {
  readonly text: string;
  readonly total: number;
  readonly greedy: boolean;
  readonly from: number;
}

const cases: readonly [name: string, changes: Partial<BeamsRequest>, flags: readonly (string | number)[]][] =
  [
    ["three beams", {}, ["--beams", 3, "--best", 3, "--tokens", 6]],
    ["one beam", { beams: 1, tokens: 4 }, ["--beams", 1, "--tokens", 4]],
    [
      "an end and a length penalty",
      { beams: 5, tokens: 8, lengthPenalty: 1.5, end: " " },
      ["--beams", 5, "--best", 5, "--tokens", 8, "--length-penalty", 1.5, "--stop", " "],
    ],
  ];

describe("the steps and the results are those of the command line", () => {
  test.each(cases)("%s", async (_, changes, flags) => {
    const { engine } = await nodeEngine();
    const shown = await beams(engine, requestOf(changes));
    const words = [
      "sample",
      "--model",
      "tales",
      "--prompt",
      PROMPT,
      "--strategy",
      "beam",
      "--explain",
      "--json",
    ];
    const { stdout } = await nopeekHere(makeFolder(), ...words, ...flags);
    const results = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const steps: Record<"followed" | "ended" | "dropped", Path[]>[] = results[0].steps;
    const expected = steps.map(({ followed, ended, dropped }) =>
      Object.entries({ followed, ended, dropped }).flatMap(([state, paths]) =>
        paths.map(({ text, total, greedy, from }) => ({
          ...{ state, total, text: text.slice(-1), isGreedy: greedy, parent: from },
        })),
      ),
    );
    expect(shown.steps).toMatchObject(expected);
    expect(shown.steps.map((nodes) => nodes.length)).toEqual(expected.map((nodes) => nodes.length));
    expect(shown.hypotheses.map(({ score }) => score)).toEqual(results.map(({ score }) => score));
    // The command line leaves a stop text out.
    const written = (text: string) => (changes.end && text.endsWith(changes.end) ? text.slice(0, -1) : text);
    expect(shown.hypotheses.map(({ text }) => written(text.join("")))).toEqual(
      results.map(({ text }) => text),
    );
  });
});

test("from each kept node, its parents spell the beginning of the hypothesis that it leads to", async () => {
  const { engine } = await nodeEngine();
  const { steps, hypotheses } = await beams(engine, requestOf({ beams: 4, tokens: 7, end: "y" }));
  const spell = (step: number, place: number): string =>
    step < 0 ? "" : spell(step - 1, steps[step][place].parent) + steps[step][place].text;
  let given = 0;
  for (const [step, nodes] of steps.entries())
    for (const [place, { leadsTo }] of nodes.entries()) {
      const path = spell(step, place);
      const led = hypotheses.findIndex(({ text }) => text.join("").startsWith(path));
      expect(leadsTo).toBe(led < 0 ? null : led);
      if (leadsTo === null) given += 1;
    }
  expect(given).toBeGreaterThan(10);
  // The best path is connected from its first token to its last.
  const best = steps.map((nodes) => nodes.filter(({ leadsTo }) => leadsTo === 0).length);
  expect(best.slice(0, hypotheses[0].text.length).every((count) => count >= 1)).toBe(true);
});

test("the greedy continuation is that of `generate`, and no better than the best beam", async () => {
  const { engine } = await nodeEngine();
  const { model, tokenizer } = await engine.viewed("shipped");
  const { greedy, hypotheses } = await beams(engine, requestOf({ tokens: 9 }));
  const settings = { strategy: "sample", temperature: 0, topK: null, topP: null } as const;
  const options = { tokens: 9, settings, overflow: "slide", random: Random.of(3) } as const;
  let [text, total] = ["", 0];
  for await (const { token, logProbability } of generate(model, tokenizer.encode(PROMPT), options)) {
    text += tokenizer.decode([token]);
    total += logProbability;
  }
  expect(greedy).toEqual({ text: Array.from(text), total, score: total });
  expect(hypotheses[0].total).toBeGreaterThanOrEqual(total);
});

test("an end text also ends the greedy continuation", async () => {
  const { engine } = await nodeEngine();
  const whole = await beams(engine, requestOf({}));
  const [, second] = whole.greedy.text;
  const { greedy } = await beams(engine, requestOf({ end: second, lengthPenalty: 1 }));
  expect(greedy.text).toEqual(whole.greedy.text.slice(0, 2));
  // ((5 + 2) / 6)^1
  expect(greedy.score).toBeCloseTo((greedy.total * 6) / 7, 12);
});

const refusals: readonly [name: string, changes: Partial<BeamsRequest>, message: RegExp][] = [
  ["an empty prompt", { prompt: "" }, /the prompt is empty/],
  ["an unknown character", { prompt: "é" }, /is not among/],
  ["no beam", { beams: 0 }, /`beams`.*got 0/],
  ["many beams", { beams: 6 }, /`beams`.*1 to 5.*got 6/],
  ["many tokens", { tokens: 11 }, /`tokens`.*1 to 10.*got 11/],
  ["a length penalty", { lengthPenalty: -1 }, /`lengthPenalty`.*got -1/],
];
test.each(refusals)("refuses %s", async (_, changes, message) => {
  const { engine } = await nodeEngine();
  const asked = beams(engine, requestOf(changes));
  await expect(asked).rejects.toThrow(NopeekError);
  await expect(asked).rejects.toThrow(message);
});
