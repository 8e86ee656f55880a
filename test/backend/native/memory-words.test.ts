import { expect, test } from "vitest";
import { wordsOf } from "../../../src/backend/native/memory-words.js";

const PAGE = 65536;

test("reads words that memory gained since the last call", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  const wordsUpTo = wordsOf(memory);
  new Int32Array(memory.buffer)[3] = 7;
  expect(wordsUpTo(16)[3]).toBe(7);
  memory.grow(1);
  new Int32Array(memory.buffer)[PAGE / 4] = 8;
  expect(wordsUpTo(PAGE + 4)[PAGE / 4]).toBe(8);
});

test("makes no view for a call that the last one covers", () => {
  const wordsUpTo = wordsOf(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  expect(wordsUpTo(PAGE)).toBe(wordsUpTo(16));
});
