import { describe } from "vitest";
import { BlasBackend } from "../../../src/backend/blas/blas-backend.ts";
import { loadKernels, openBackend } from "../../../src/backend/open.ts";
import { blasOptions, ifBlas, noBlas } from "../../support/blas.ts";
import { conformance, singlePrecision } from "../conformance.ts";

// A library sums in an order of its own.
const unordered = { ...singlePrecision, ordered: false };

describe.skipIf(noBlas !== null)(`by a BLAS library${ifBlas}`, () => {
  conformance("blas", () => openBackend("blas"), unordered);
  // However small: so that small sizes try every layout.
  conformance(
    "blas for every size, on 3 threads",
    async () => BlasBackend.open(await loadKernels(), { ...blasOptions(3), minWork: 0 }),
    unordered,
  );
});
