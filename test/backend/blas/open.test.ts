/** Opening a backend on a machine where the program finds no BLAS library. */
import { afterEach, expect, it, vi } from "vitest";
import { openBackend } from "../../../src/backend/open.ts";
import { BackendError } from "../../../src/errors.ts";
import { noKoffi } from "../../support/blas.ts";

const nowhere = vi.hoisted(() => ["libnowhere.so.1", "/nowhere/libnot.so"]);
vi.mock("../../../src/backend/blas/library-names.ts", async (original) => ({
  ...(await original<object>()),
  usualLibraries: () => nowhere,
}));
afterEach(() => vi.doUnmock("koffi"));

it.skipIf(noKoffi)("reports which libraries were tried and how to install one", async () => {
  const open = openBackend("blas");
  await expect(open).rejects.toThrow(BackendError);
  for (const words of [...nowhere, "Debian", "macOS", "Windows", "NOPEEK_BLAS", "`backend` wasm"]) {
    await expect(open).rejects.toThrow(words);
  }
});

it.skipIf(noKoffi)("fails if an explicitly named library does not work", async () => {
  const open = openBackend("blas", 1, "/another/libnot.so");
  await expect(open).rejects.toThrow("tried /another/libnot.so.");
});

it.skipIf(noKoffi)("rejects a library without cblas_sgemm", async () => {
  await expect(openBackend("blas", 1, process.execPath)).rejects.toThrow("no BLAS library was found");
  await expect(openBackend("blas", 1, "libm.so.6")).rejects.toThrow("no BLAS library was found");
});

it("reports that koffi is missing", async () => {
  vi.resetModules();
  vi.doMock("koffi", () => {
    throw new Error("Cannot find package");
  });
  const { openBackend: openAnew } = await import("../../../src/backend/open.ts");
  await expect(openAnew("blas")).rejects.toThrow(
    /^blas: the package koffi.* does not load .*npm install koffi/,
  );
});
