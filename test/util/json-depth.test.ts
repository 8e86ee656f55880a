import { expect, it } from "vitest";
import { nestsTooDeep } from "../../src/util/json-depth.ts";

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

it("detects nesting that is too deep, and ignores brackets in strings", () => {
  expect([nested(100), nested(101)].map(nestsTooDeep)).toEqual([false, true]);
  expect(nestsTooDeep(`[${nested(3)}${`,${nested(3)}`.repeat(1000)}]`)).toBe(false);
  expect(nestsTooDeep('{"a":'.repeat(101))).toBe(true);
  expect(nestsTooDeep(`{"${"[".repeat(500)}": "\\"${"{".repeat(500)}"}`)).toBe(false);
  expect(nestsTooDeep(`["\\\\", ${nested(101)}]`)).toBe(true);
  for (const cut of ["", '"', '"\\', '["a', "[".repeat(100)]) expect(nestsTooDeep(cut)).toBe(false);
});
