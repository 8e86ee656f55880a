/** What can be tested without a browser; the rest is in test/browser. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { chooseThreads, openBackend } from "../../src/backend/open-browser.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import { BackendError, ConfigError } from "../../src/errors.ts";

const kernels = readFileSync(new URL("../../src/backend/wasm/kernels.wasm", import.meta.url));
const headers = { "Content-Type": "application/wasm" };

/** Serves the kernels, as the server of a page does. */
beforeEach(() => {
  vi.stubGlobal("fetch", async () => new Response(kernels, { headers }));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("chooseThreads", () => {
  it("gives an isolated page the number that it wants", () => {
    vi.stubGlobal("crossOriginIsolated", true);
    expect(chooseThreads(3)).toEqual({ threads: 3, why: null });
  });

  it("gives one thread to any other page, with the headers that it lacks", () => {
    for (const isolated of [undefined, false]) {
      vi.stubGlobal("crossOriginIsolated", isolated);
      const { threads, why } = chooseThreads(3);
      expect(threads).toBe(1);
      expect(why).toContain("Cross-Origin-Opener-Policy: same-origin");
      expect(why).toContain("Cross-Origin-Embedder-Policy: require-corp");
    }
  });

  it("gives one thread to an isolated page without shared memory", () => {
    vi.stubGlobal("crossOriginIsolated", true);
    vi.stubGlobal("SharedArrayBuffer", undefined);
    expect(chooseThreads(3)).toEqual({ threads: 1, why: "this browser shares no memory between threads" });
  });

  it("explains nothing to those who want one thread", () => {
    expect(chooseThreads(1)).toEqual({ threads: 1, why: null });
    expect(() => chooseThreads(0)).toThrow(ConfigError);
  });
});

describe("openBackend", () => {
  const failure = (...words: Parameters<typeof openBackend>) =>
    openBackend(...words).then(
      () => "no failure",
      (error) => {
        if (error instanceof BackendError) return error.message;
        throw error;
      },
    );

  it("opens wasm on one thread where threads are missing", async () => {
    const backend = await openBackend("wasm", 4);
    expect(backend).toBeInstanceOf(WasmBackend);
    expect(backend.threads).toBe(1);
    expect(backend.exact).toBe(true);
  });

  it("compiles while loading if the type is right, and else at once", async () => {
    const streaming = vi.spyOn(WebAssembly, "compileStreaming");
    const types = ["application/wasm", "Application/WASM", "application/octet-stream", ""];
    for (const type of types) {
      vi.stubGlobal("fetch", async () => new Response(kernels, { headers: { "Content-Type": type } }));
      await openBackend("wasm");
    }
    expect(streaming).toHaveBeenCalledTimes(1);
  });

  it.each(["SIMD", "WebAssembly"])("names reference where %s is missing", async (what) => {
    if (what === "SIMD") vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    else vi.stubGlobal("WebAssembly", undefined);
    expect(await failure("wasm")).toMatch(new RegExp(`has no .*${what}.*; \`backend\` reference works`));
    expect((await openBackend("reference")).name).toBe("reference");
  });

  it("names the file that does not load or compile", async () => {
    const options = { kernels: "at/kernels.wasm" };
    vi.stubGlobal("fetch", async () => new Response("", { status: 404 }));
    expect(await failure("wasm", 1, options)).toBe(
      "wasm: at/kernels.wasm does not load: the server answers 404",
    );
    vi.stubGlobal("fetch", async () => new Response("<!doctype html>"));
    expect(await failure("wasm", 1, options)).toMatch(
      /^wasm: at\/kernels\.wasm does not compile \(CompileError/,
    );
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect(await failure("wasm", 1, options)).toMatch(/^wasm: at\/kernels\.wasm does not load \(TypeError/);
  });

  it("reserves as much memory as the browser grants", async () => {
    const asked: number[] = [];
    const { Memory } = WebAssembly;
    let mostPages = 16_384;
    WebAssembly.Memory = class extends Memory {
      constructor(descriptor: { initial: number; maximum: number; shared: true }) {
        asked.push(descriptor.maximum);
        if (descriptor.maximum > mostPages) throw new RangeError("no");
        super(descriptor);
      }
    };
    try {
      await openBackend("wasm");
      expect(asked).toEqual([65_536, 32_768, 16_384]);
      mostPages = 100;
      expect(await failure("wasm")).toContain("does not reserve 0.5 GiB");
      expect(await failure("wasm", 1, { maximumBytes: 2 ** 24 })).toContain("does not reserve 0.015625 GiB");
    } finally {
      WebAssembly.Memory = Memory;
    }
  });

  it("refuses what it does not have", async () => {
    // @ts-expect-error blas is only in Node
    await expect(openBackend("blas")).rejects.toThrow(ConfigError);
    await expect(openBackend("wasm", 1.5)).rejects.toThrow("`threads`");
  });
});
