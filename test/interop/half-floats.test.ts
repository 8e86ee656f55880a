import { describe, expect, test } from "vitest";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "../../src/interop/half-floats.ts";

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** The value of a number of 16 bits, from the definition of the format. */
function defined(bits: number, fractionBits: number): number {
  const exponentBits = 15 - fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits >>> 15 === 1 ? -1 : 1;
  const exponent = (bits >>> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1)
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

describe.each([
  { name: "float16", to: toFloat16, from: fromFloat16, fractionBits: 10 },
  { name: "bfloat16", to: toBfloat16, from: fromBfloat16, fractionBits: 7 },
])("$name", ({ to, from, fractionBits }) => {
  const infinity = (2 ** (15 - fractionBits) - 1) * 2 ** fractionBits;
  const all = from(ALL);

  test("each of the 65,536 numbers has the value of the format's definition", () => {
    const wrong = Array.from(ALL).filter((bits) => !Object.is(all[bits], defined(bits, fractionBits)));
    expect(wrong).toEqual([]);
  });

  test("each of them comes back with the same bits, NaN as a NaN", () => {
    const back = to(all);
    const changed = Array.from(ALL).filter((bits) => {
      return Number.isNaN(all[bits])
        ? !Number.isNaN(from(back.subarray(bits, bits + 1))[0])
        : back[bits] !== bits;
    });
    expect(changed).toEqual([]);
  });

  test("between two neighbors: to the nearest, halfway to the even one", () => {
    // Every finite pair of neighbors, infinity taken as the number after the largest.
    const lower = Array.from({ length: infinity }, (_, bits) => bits);
    const upperOf = (bits: number) => (bits + 1 === infinity ? 2 * all[bits] - all[bits - 1] : all[bits + 1]);
    const middles = Float32Array.from(lower, (bits) => (all[bits] + upperOf(bits)) / 2);
    const rounded = to(middles);
    expect(lower.filter((bits) => rounded[bits] !== bits + (bits & 1))).toEqual([]);
    // The float32 numbers right below and above each middle; none of the smallest middles is 0.
    const around = (step: number) =>
      new Float32Array(new Uint32Array(middles.buffer).map((bits) => bits + step).buffer);
    const below = to(around(-1));
    const above = to(around(1));
    expect(lower.filter((bits) => below[bits] !== bits || above[bits] !== bits + 1)).toEqual([]);
    const negative = to(middles.map((x) => -x));
    expect(lower.filter((bits) => negative[bits] !== (rounded[bits] | 0x8000))).toEqual([]);
  });
});

test("numbers beyond float16's range become infinite, and tiny ones zero", () => {
  expect(Array.from(toFloat16(Float32Array.of(65519.99, 65520, -1e38, 2e-8, -2e-8, Number.NaN)))).toEqual([
    0x7bff, 0x7c00, 0xfc00, 0, 0x8000, 0x7e00,
  ]);
});

test("a NaN whose fraction is in the lower bits does not become infinite", () => {
  const nan = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001).buffer);
  for (const value of [fromBfloat16(toBfloat16(nan)), fromFloat16(toFloat16(nan))])
    expect(Array.from(value)).toEqual([Number.NaN, Number.NaN]);
});
