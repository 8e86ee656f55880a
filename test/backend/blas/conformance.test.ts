import { platform } from "node:os";
import { describe } from "vitest";
import { BlasBackend } from "../../../src/backend/blas/blas-backend.ts";
import { usualLibraries } from "../../../src/backend/blas/library-names.ts";
import { startThread } from "../../../src/backend/node-thread.ts";
import { loadKernels, openBackend } from "../../../src/backend/open.ts";
import { ifBlas, noBlas } from "../../support/blas.ts";
import { conformance, singlePrecision } from "../conformance.ts";

// A library sums in an order of its own.
const unordered = { ...singlePrecision, ordered: false };

/** Everything that BLAS can express goes to it, however small: so that small sizes try every layout. */
const always = async (threads: number) =>
  BlasBackend.open(await loadKernels(), {
    ...{ libraries: usualLibraries(platform()), threads, spawn: startThread, leastWork: 0 },
  });

describe.skipIf(noBlas !== null)(`a BLAS library${ifBlas}`, () => {
  conformance("blas", () => openBackend("blas"), unordered);
  conformance("blas for every size", () => always(1), unordered);
  conformance("blas for every size, on 3 threads", () => always(3), unordered);
});
