/** The suite on native kernels. It compares products of every width bit by bit with the order of the contract. */
import { describe, it } from "vitest";
import { VECTORS } from "../../../src/backend/native/library.js";
import { ifNative, noNative, openNative } from "../../support/native.ts";
import { cases, check, conformance } from "../conformance.ts";

describe.skipIf(noNative !== null)(`native kernels${ifNative}`, () => {
  conformance("native on 3 threads", () => openNative(null, 3));

  it.each(VECTORS)("products with %s conform", async (vectors) => {
    const backend = await openNative(vectors);
    try {
      for (const one of cases.filter(({ name }) => name.startsWith("gemm"))) await check(one, backend);
    } finally {
      await backend.close();
    }
  });
});
