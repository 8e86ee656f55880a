import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/errors.ts";
import { Random } from "../../../src/random.ts";
import { answer, type Side, ToyTask, type ToyTaskSettings } from "../../../src/train/objectives/toy-task.ts";
import { follows } from "../../sample/chi-squared.ts";

const settings: ToyTaskSettings = { task: "sort", alphabetSize: 5, minLength: 2, maxLength: 7, seed: 3 };
const task = new ToyTask(settings);

const drawMany = (side: Side, count: number, of = task) => {
  const random = Random.of(9, side);
  return Array.from({ length: count }, () => of.draw(side, random));
};

describe("ToyTask", () => {
  it("reverses and sorts", () => {
    expect(answer("reverse", [3, 1, 4, 1, 0])).toEqual([0, 1, 4, 1, 3]);
    expect(answer("sort", [10, 9, 3, 1, 4, 1, 0])).toEqual([0, 1, 1, 3, 4, 9, 10]);
    for (const { source, answer: sorted } of drawMany("training", 20))
      expect(sorted).toEqual(answer("sort", source));
    const reversing = new ToyTask({ ...settings, task: "reverse" });
    for (const { source, answer: reversed } of drawMany("held out", 20, reversing)) {
      expect(reversed).toEqual(answer("reverse", source));
    }
  });

  it("never draws the same string as training and held out", () => {
    const [training, heldOut] = (["training", "held out"] as const).map(
      (side) => new Set(drawMany(side, 6000).map(({ source }) => source.join())),
    );
    // By then, most strings of up to four letters have been drawn on one side or the other.
    expect(training.size).toBeGreaterThan(3000);
    expect(heldOut.size).toBeGreaterThan(1000);
    for (const source of heldOut) expect(training.has(source), source).toBe(false);
    for (const { source } of task.heldOut(400)) expect(training.has(source.join())).toBe(false);
  });

  it("holds out one string in ten, different ones for each seed", () => {
    const strings = Array.from({ length: 5 ** 5 }, (_, i) =>
      [0, 1, 2, 3, 4].map((p) => Math.floor(i / 5 ** p) % 5),
    );
    const count = strings.filter((source) => task.isHeldOut(source)).length;
    expect(follows([count, strings.length - count], [0.1, 0.9])).toBe(true);
    const other = new ToyTask({ ...settings, seed: 4 });
    const both = strings.filter((source) => task.isHeldOut(source) && other.isHeldOut(source)).length;
    expect(follows([both, strings.length - both], [0.01, 0.99])).toBe(true);
  });

  it("draws every length and every letter equally often", () => {
    const drawn = drawMany("training", 6000);
    const lengths = new Array<number>(6).fill(0);
    const letters = new Array<number>(5).fill(0);
    for (const { source } of drawn) {
      lengths[source.length - 2]++;
      for (const id of source.slice(3)) letters[id]++;
    }
    // The fraction held out is only roughly a tenth of the 25 strings of two letters; it is closer for longer ones.
    const long = lengths.slice(2);
    expect(follows(long, [0.25, 0.25, 0.25, 0.25])).toBe(true);
    expect(Math.abs(lengths[0] - 1000)).toBeLessThan(150);
    expect(follows(letters, [0.2, 0.2, 0.2, 0.2, 0.2])).toBe(true);
  });

  it("returns the same held-out strings every time, without duplicates, and a prefix of them for a smaller count", () => {
    const strings = task.heldOut(300);
    expect(new ToyTask(settings).heldOut(300)).toEqual(strings);
    expect(new Set(strings.map(({ source }) => source.join())).size).toBe(strings.length);
    expect(strings.length).toBeGreaterThan(150);
    expect(strings.slice(0, 7)).toEqual(task.heldOut(7));
    expect(strings.every(({ source }) => task.isHeldOut(source))).toBe(true);
  });

  it("rejects too few strings for two sides", () => {
    const make = (changes: Partial<ToyTaskSettings>) => () => new ToyTask({ ...settings, ...changes });
    expect(make({ alphabetSize: 10, minLength: 1, maxLength: 2 })).toThrow(ConfigError);
    expect(make({ alphabetSize: 10, minLength: 1, maxLength: 2 })).toThrow(
      "there are only 110 strings of 1 to 2 of 10 letters, and 1000 are needed",
    );
    expect(make({ alphabetSize: 10, minLength: 3, maxLength: 3 })).not.toThrow();
    expect(make({ alphabetSize: 2, minLength: 1, maxLength: 8 })).toThrow("only 510");
    expect(make({ alphabetSize: 26, minLength: 1000, maxLength: 1000 })).not.toThrow();
  });
});
