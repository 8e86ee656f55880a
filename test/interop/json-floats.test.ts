import { expect, test } from "vitest";
import { encodeWithFloats, Float } from "../../src/interop/json-floats.ts";

const written = (value: Parameters<typeof encodeWithFloats>[0]) =>
  new TextDecoder().decode(encodeWithFloats(value));

test("a Float has a point or an exponent, a number has none", () => {
  expect(written([new Float(5), new Float(0), new Float(1e-8), new Float(1e21), new Float(0.5), 5])).toBe(
    "[\n  5.0,\n  0.0,\n  1e-8,\n  1e+21,\n  0.5,\n  5\n]\n",
  );
});

test("everything else is what JSON.stringify writes", () => {
  const value = { a: [], b: {}, c: [1, [true, null]], 'd"\n': { e: "é\u2028" }, gone: undefined };
  expect(written(value)).toBe(`${JSON.stringify(value, null, 2)}\n`);
});
