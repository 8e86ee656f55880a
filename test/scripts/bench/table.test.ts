import { expect, test } from "vitest";
import { formatBytes, formatNumber, formatRatio, formatTable } from "../../../scripts/bench/table.ts";

test("aligns text left and numbers right, with columns as wide as their widest cell", () => {
  const table = formatTable(
    ["", "ms", "ratio"],
    [
      ["nopeek", "1.5", "1.00"],
      ["a longer name", "1,234", "–"],
    ],
  );
  expect(table.split("\n")).toEqual([
    "                  ms  ratio",
    "───────────────────────────",
    "nopeek           1.5   1.00",
    "a longer name  1,234      –",
  ]);
});

test.each([
  [0, "0.00"],
  [0.0456, "0.0456"],
  [0.1234, "0.123"],
  [1.2345, "1.23"],
  [12.345, "12.3"],
  [123.45, "123"],
  [1234.5, "1,235"],
  [-2.5, "-2.50"],
  [Number.NaN, "NaN"],
])("formats %d as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test("formats ratios and bytes", () => {
  expect(formatRatio(1.333)).toBe("1.33");
  expect(formatRatio(null)).toBe("–");
  expect(formatBytes(3.25 * 2 ** 20)).toBe("3.3 MB");
});
