import { describe, expect, it } from "vitest";
import { TreeSum } from "../../src/util/tree-sum.ts";

function added(items: readonly string[]): { sum: string | null; most: number } {
  const alive = new Set<string>();
  let most = 0;
  const sum = new TreeSum<string>((earlier, later) => {
    alive.delete(earlier);
    alive.delete(later);
    const both = `(${earlier}+${later})`;
    alive.add(both);
    return both;
  });
  for (const item of items) {
    alive.add(item);
    most = Math.max(most, alive.size);
    sum.push(item);
  }
  return { sum: sum.take(), most };
}

const letters = (count: number) => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i));

describe("a sum in a tree", () => {
  it.each([
    [0, null],
    [1, "a"],
    [2, "(a+b)"],
    [3, "((a+b)+c)"],
    [5, "(((a+b)+(c+d))+e)"],
    [7, "(((a+b)+(c+d))+((e+f)+g))"],
    [8, "(((a+b)+(c+d))+((e+f)+(g+h)))"],
  ])("of %i items is %s", (count, expected) => {
    expect(added(letters(count)).sum).toBe(expected);
  });

  it.each([
    [2, 1],
    [12, 2],
    [12, 4],
    [20, 4],
    [24, 8],
  ])("of %i items is that of the sums of blocks of %i", (count, block) => {
    const items = letters(count);
    const blocks = Array.from({ length: count / block }, (_, i) =>
      String(added(items.slice(i * block, (i + 1) * block)).sum),
    );
    expect(added(blocks).sum).toBe(added(items).sum);
  });

  it.each([1, 2, 4, 8, 16])("of %i items never holds more than log₂ of that number, plus one", (count) => {
    expect(added(letters(count)).most).toBe(Math.log2(count) + 1);
  });

  it("starts over after it is taken or given up", () => {
    const sum = new TreeSum<number>((a, b) => a + b);
    for (const item of [1, 2, 4]) sum.push(item);
    expect(sum.discard()).toEqual([3, 4]);
    expect(sum.take()).toBeNull();
    sum.push(8);
    expect(sum.take()).toBe(8);
    expect(sum.take()).toBeNull();
  });
});
