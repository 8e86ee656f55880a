import { describe } from "vitest";
import { BlasBackend } from "../../../src/backend/blas/blas-backend.ts";
import { loadKernels, openBackend } from "../../../src/backend/open.ts";
import { blasOptions, ifBlas, noBlas } from "../../support/blas.ts";
import { conformance, singlePrecision } from "../conformance.ts";

// A library may sum in any order.
const unordered = { ...singlePrecision, ordered: false };

describe.skipIf(noBlas !== null)(`products by a BLAS library${ifBlas}`, () => {
  conformance("blas", () => openBackend("blas"), unordered);
  // Includes the smallest sizes, so that every layout is tried.
  conformance(
    "blas for every size, on 3 threads",
    async () => BlasBackend.open(await loadKernels(), { ...blasOptions(3), minWork: 0 }),
    unordered,
  );
});
