/** The parts of `npm run interop` that need no clients. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { HalfGeluBackend } from "../../../scripts/interop/half-gelu.ts";
import { respell } from "../../../scripts/interop/respell.ts";

test("respelled tales have characters of every length in bytes, and as many different ones", () => {
  const tales = readFileSync("data/tales.txt", "utf8").slice(0, 200_000);
  const respelled = respell(tales);
  const lengths = new Set(Array.from(respelled, (character) => new TextEncoder().encode(character).length));
  expect(lengths).toEqual(new Set([1, 2, 3, 4]));
  expect(new Set(respelled).size).toBe(new Set(tales).size);
});

test("GELU in half precision, as NumPy's float16 rounds it", async () => {
  const backend = new HalfGeluBackend();
  const inputs = [1, 0.1, -0.5, -3, 10, -10, 1.0002];
  const [x, y] = [backend.alloc(inputs.length), backend.alloc(inputs.length)];
  backend.write(x, inputs);
  backend.unary("gelu", y, x);
  // np.float16(0.5 * h * (1 + np.tanh(0.79788456 * h * (1 + 0.044715 * h * h)))) with h = np.float32(np.float16(x))
  expect(Array.from(await backend.read(y))).toEqual([
    0.84130859375, 0.053955078125, -0.154296875, -0.0036373138427734375, 10, 0, 0.84130859375,
  ]);
});
