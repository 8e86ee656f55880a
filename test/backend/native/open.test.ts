/** Without native kernels that can be trusted, wasm computes, and a sentence says why. */
import { readFileSync } from "node:fs";
import { arch, platform } from "node:os";
import { afterEach, expect, it, vi } from "vitest";
import { computedBy, nameOf } from "../../../src/backend/names.ts";
import { openBackend } from "../../../src/backend/open.ts";
import { BackendError } from "../../../src/errors.ts";
import { noKoffi } from "../../support/blas.ts";
import { ifNative, nativeLibrary, noNative, openNative } from "../../support/native.ts";

const find = vi.hoisted(() => ({ instead: null as (() => string) | null, isNotBuilt: false }));
vi.mock("../../../src/backend/native/find-library.ts", async (original) => {
  const real = await original<typeof import("../../../src/backend/native/find-library.ts")>();
  const findNativeLibrary: typeof real.findNativeLibrary = (...places) =>
    find.instead === null ? real.findNativeLibrary(...places) : find.instead();
  return { ...real, findNativeLibrary, isNotBuilt: () => find.isNotBuilt };
});
afterEach(() => {
  find.instead = null;
  find.isNotBuilt = false;
});

async function sentence(threads: number, name: "native" | "auto" = "native"): Promise<string> {
  const said: string[] = [];
  const backend = await openBackend(name, threads, null, { say: (words) => said.push(words) });
  expect(backend).toMatchObject({ name: "wasm", exact: true, library: null, threads });
  await backend.close();
  expect(said).toHaveLength(1);
  return said[0];
}

it("wasm computes if there is no library", async () => {
  find.instead = () => {
    throw new BackendError("native: the library is damaged");
  };
  expect(await sentence(2)).toBe("native: the library is damaged; wasm computes, with the same results");
  // The default says so too, because that library was built here.
  expect(await sentence(2, "auto")).toBe(await sentence(2));
});

it("by default, wasm computes where nothing was built, and nothing is printed", async () => {
  find.isNotBuilt = true;
  find.instead = () => {
    throw new BackendError("native: no library was built");
  };
  const say = vi.fn();
  const backend = await openBackend("auto", 1, null, { say });
  expect(backend.name).toBe("wasm");
  expect(say).not.toHaveBeenCalled();
  await backend.close();
});

it.skipIf(noKoffi)("wasm computes if the library does not open, or is another", async () => {
  find.instead = () => "/nowhere/kernels.so";
  expect(await sentence(1)).toMatch(/^native: the library does not open \(.+\); wasm computes, /);
  find.instead = () => process.execPath;
  expect(await sentence(1)).toMatch(/^native: the library does not open \(.+\); wasm computes, /);
});

it("refuses vectors that it does not know", async () => {
  const open = openBackend("native", 1, null, { vectors: "avx" });
  await expect(open).rejects.toThrow('`vectors` must be plain or avx2 or avx512: got "avx"');
});

it.skipIf(noNative !== null)(`opens on threads, and computes what wasm does${ifNative}`, async () => {
  find.instead = () => nativeLibrary();
  const backend = await openBackend("native", 2, null, { vectors: "plain" });
  expect(backend).toMatchObject({ name: "native", exact: true, library: null, threads: 2, vectors: "plain" });
  expect(nameOf(backend)).toBe("native");
  // Records do not depend on where the bits of wasm were computed.
  expect(computedBy(backend)).toBe("wasm");
  await backend.close();
  const usual = await openBackend();
  expect(usual.name).toBe("native");
  await usual.close();
});

const isLinuxX64 = platform() === "linux" && arch() === "x64";
it.skipIf(noNative !== null || !isLinuxX64)(
  `uses the widest vectors that the CPU has${ifNative}`,
  async () => {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].split(" ") ?? [];
    const narrower = flags.includes("avx2") ? "avx2" : "plain";
    const native = await openNative(null);
    expect(native.vectors).toBe(flags.includes("avx512f") ? "avx512" : narrower);
    await native.close();
  },
);

it.skipIf(noNative !== null)(`never uses wider vectors than the CPU has${ifNative}`, async () => {
  const widest = await openNative(null);
  const asked = await openNative("avx512");
  expect(asked.vectors).toBe(widest.vectors);
  await Promise.all([widest.close(), asked.close()]);
});
