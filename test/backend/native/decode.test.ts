/** Token-by-token generation with native kernels, replayed and on several threads, has the bits of wasm. */
import { beforeAll, describe, expect, it } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import type { Backend } from "../../../src/backend/backend.ts";
import { VECTORS } from "../../../src/backend/native/library.js";
import { openBackend } from "../../../src/backend/open.ts";
import { cachedLogits } from "../../../src/sample/logits.ts";
import { randomIds, tinyModel } from "../../support/models.ts";
import { ifNative, noNative, openNative } from "../../support/native.ts";

/** Six heads are computed as four and two. Steps of more than 64 positions are captured again. */
const SIZES = { attention: "fused", contextLength: 70, dModel: 96, heads: 6, layers: 1 } as const;
const MODELS = [{}, { kvHeads: 2, positions: "rotary", bias: true }] as const;

const logitsOn = (backend: Backend): Promise<Float64Array[]> =>
  Promise.all(
    MODELS.map((choice) =>
      cachedLogits(
        tinyModel(new Context(backend), { ...SIZES, ...choice }),
        randomIds(SIZES.contextLength, 11, "native decode"),
      ),
    ),
  );

describe.skipIf(noNative !== null)(`native decoding${ifNative}`, () => {
  let expected: Float64Array[] = [];
  beforeAll(async () => {
    const wasm = await openBackend("wasm");
    expected = await logitsOn(wasm);
    await wasm.close();
  });

  it.each(VECTORS.flatMap((vectors) => [1, 2].map((threads) => [vectors, threads] as const)))(
    "with %s on %i threads has the bits of wasm",
    async (vectors, threads) => {
      const native = await openNative(vectors, threads);
      const found = await logitsOn(native);
      await native.close();
      expect(found).toEqual(expected);
    },
  );

  it("has them in memory beyond 2 GiB too", async () => {
    const native = await openNative("plain", 1);
    // Nothing is written to it, so it takes addresses and no memory.
    native.alloc(2 ** 29);
    const found = await logitsOn(native);
    await native.close();
    expect(found).toEqual(expected);
  });
});
