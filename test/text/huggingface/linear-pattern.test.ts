import { describe, expect, it } from "vitest";
import { isLinearPattern } from "../../../src/text/huggingface/linear-pattern.ts";

const R = String.raw;

describe("isLinearPattern", () => {
  it.each([
    ["GPT-2", R`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`],
    [
      "Llama 3",
      R`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
    ],
    [
      "GPT-4o",
      R`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|\s+`,
    ],
    ["a class of characters", R`[\s\S]`],
    ["lookahead of one character", R`(?=\S)\p{L}+`],
  ])("accepts %s", (_, pattern) => {
    expect(isLinearPattern(pattern)).toBe(true);
  });

  it.each([
    ["nested repetitions", "(a+)+b"],
    ["nested repetitions at the end", "(?:a+)+"],
    ["alternatives that overlap", "(a|a)*b"],
    ["a repetition that may fail at every start", R`[\s\S]+x`],
    ["two repetitions", R`\s*\s*x`],
    ["many optional parts", `${"a?".repeat(30)}${"a".repeat(30)}`],
    ["repeated optional parts", "(?:a?){1,50}b"],
    ["nested counts", "(?:a{1,99}){1,99}b"],
    ["a repetition in a lookahead", "(?!.*x)a"],
    ["a reference to a group", R`(a)\1`],
    ["a named reference", R`(?<x>a)\k<x>`],
    ["lazy repetition", "a+?b"],
    ["possessive repetition", "a++"],
    ["an atomic group", "(?>a)"],
    ["a conditional", "(?(1)a|b)"],
    ["an open group", "(a"],
    ["an open class", "[a"],
    ["a class in a class", "[a[b]]"],
    ["a backslash at the end", "a\\"],
    ["deep groups", `${"(".repeat(5000)}${")".repeat(5000)}`],
    ["a long pattern", "a".repeat(20_000)],
  ])("does not accept %s", (_, pattern) => {
    expect(isLinearPattern(pattern)).toBe(false);
  });
});
