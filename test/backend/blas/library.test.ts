/** Libraries whose functions have other names: a fake loader on any machine, and PyPI's scipy-openblas32 where it is. */
import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openBackend } from "../../../src/backend/open.ts";
import { noKoffi } from "../../support/blas.ts";

describe("the names of functions", () => {
  afterEach(() => {
    vi.doUnmock("koffi");
    vi.resetModules();
  });

  /** Opens a library that has exactly these functions. */
  async function openOneWith(functions: readonly string[]) {
    const calls: string[] = [];
    const types = new Map<string, readonly string[]>();
    const func = (name: string, _: string, args: readonly string[]) => {
      if (!functions.includes(name)) throw new Error(`no function ${name}`);
      types.set(name, args);
      return (...values: (number | bigint)[]) => {
        calls.push(`${name}(${values.join(", ")})`);
        return name.includes("get_config") ? "OpenBLAS 0.3.99 DYNAMIC_ARCH" : undefined;
      };
    };
    vi.resetModules();
    vi.doMock("koffi", () => ({ default: { load: () => ({ func }), address: () => 0n } }));
    const { openLibrary } = await import("../../../src/backend/blas/library.js");
    return { library: await openLibrary(["libany.so"]), calls, types };
  }

  it.each([
    ["", "", "int"],
    ["", "64_", "int64_t"],
    ["scipy_", "", "int"],
    ["scipy_", "64_", "int64_t"],
  ])("may begin with “%s” and end with “%s”: sizes are %s", async (prefix, suffix, integer) => {
    const names = ["cblas_sgemm", "openblas_set_num_threads", "openblas_get_config"];
    const { library, calls, types } = await openOneWith(names.map((name) => prefix + name + suffix));
    expect(library).toMatchObject({ title: "OpenBLAS 0.3.99 in libany.so" });
    expect(calls).toEqual([
      `${prefix}openblas_set_num_threads${suffix}(1)`,
      `${prefix}openblas_get_config${suffix}()`,
    ]);
    const [rows, columns, inner] = (types.get(`${prefix}cblas_sgemm${suffix}`) ?? []).slice(3);
    expect([rows, columns, inner]).toEqual([integer, integer, integer]);
  });

  it("of one library are not mixed", async () => {
    const { library, calls } = await openOneWith(["scipy_cblas_sgemm", "openblas_set_num_threads"]);
    expect(library).toMatchObject({ title: "libany.so" });
    expect(calls).toEqual([]);
  });

  it("with any other prefix are not found", async () => {
    expect((await openOneWith(["numpy_cblas_sgemm"])).library).toBeNull();
  });
});

/** The path of the library in the Python package scipy-openblas32, or null. */
function scipyOpenblas(): string | null {
  const script =
    "import glob, scipy_openblas32 as s; print(glob.glob(s.get_lib_dir() + '/*' + s.get_library() + '*')[0])";
  const { status, stdout } = spawnSync(process.env.PYTHON ?? "python3", ["-c", script], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

const wheel = noKoffi ? null : scipyOpenblas();

it.skipIf(wheel === null)(
  `scipy-openblas32 computes products${wheel === null ? " (skipped: Python has no scipy-openblas32 here, or PYTHON names another)" : ""}`,
  async () => {
    const backend = await openBackend("blas", 2, wheel);
    const wasm = await openBackend("wasm");
    try {
      expect(backend.library).toMatch(/^OpenBLAS [\d.]+ in .*scipy_openblas/);
      const [rows, inner, columns] = [37, 41, 43];
      const products = [backend, wasm].map((each) => {
        const noise = (length: number, factor: number) => {
          const buffer = each.alloc(length);
          each.write(
            buffer,
            Float32Array.from({ length }, (_, i) => Math.sin(factor * i)),
          );
          return buffer;
        };
        const byRow = (buffer: ReturnType<typeof noise>, width: number) => ({
          ...{ buffer, offset: 0, rowStride: width, columnStride: 1, batchStrides: [] },
        });
        const c = each.alloc(rows * columns);
        const [a, b] = [noise(rows * inner, 3), noise(inner * columns, 5)];
        const size = { batch: [], rows, columns, inner, accumulate: false, bias: null };
        each.gemm(byRow(c, columns), byRow(a, inner), byRow(b, columns), size);
        return each.read(c);
      });
      const [found, expected] = await Promise.all(products);
      found.forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i], 4);
      });
    } finally {
      await Promise.all([backend.close(), wasm.close()]);
    }
  },
);
