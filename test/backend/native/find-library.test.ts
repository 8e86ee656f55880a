/** A library that is missing, damaged or of other sources is not used, and a sentence says why. */
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { buildNative } from "../../../scripts/build-native.ts";
import { builtIn, findNativeLibrary, isNotBuilt, KERNELS } from "../../../src/backend/native/find-library.ts";
import { BackendError } from "../../../src/errors.ts";
import { makeFolder } from "../../support/program.ts";

const folder = makeFolder();
const build = pathToFileURL(`${join(folder, "build")}/`);
const kernels = pathToFileURL(`${join(folder, "kernels")}/`);
const library = join(folder, "build", "kernels.so");
const compiler = join(folder, "compiler");

/** A "compiler" that writes its last argument, so that these tests need none. */
const script = '#!/bin/sh\nfor last; do :; done\necho "compiled" > "$last"\n';

const find = () => findNativeLibrary([builtIn(build)], kernels);

describe.skipIf(process.platform === "win32" || process.platform === "darwin")("the library", () => {
  beforeEach(async () => {
    for (const path of [build, kernels]) rmSync(path, { recursive: true, force: true });
    cpSync(fileURLToPath(KERNELS), fileURLToPath(kernels), { recursive: true });
    writeFileSync(compiler, script, { mode: 0o755 });
    await buildNative([compiler], build, [], kernels);
  });

  it("is found if it is whole and of these sources", () => {
    expect(isNotBuilt([builtIn(build)])).toBe(false);
    expect(find()).toBe(library);
    expect(readFileSync(library, "utf8")).toBe("compiled\n");
  });

  it("is refused if a byte differs", () => {
    appendFileSync(library, " ");
    expect(find).toThrow(
      new BackendError(
        'native: the library is damaged: its SHA-256 is not the recorded one; build it with "npm run build:native"',
      ),
    );
  });

  it("is refused if a source has changed since", () => {
    appendFileSync(new URL("gemm.c", kernels), "\n");
    expect(find).toThrow("native: the library was built from other sources: build it");
  });

  it("is reported as missing, also without its record or with half of it", () => {
    rmSync(library);
    expect(find).toThrow("native: the library is missing: build it");
    writeFileSync(new URL("native.json", build), '{"sources":');
    expect(find).toThrow("native: native.json is damaged: build it");
    expect(isNotBuilt([builtIn(build)])).toBe(false);
    rmSync(build, { recursive: true });
    expect(isNotBuilt([builtIn(build)])).toBe(true);
    expect(find).toThrow("native: no library was built: build it");
  });

  it("a machine without a compiler, or with one that fails, says so", async () => {
    mkdirSync(build, { recursive: true });
    writeFileSync(compiler, "#!/bin/sh\necho 'gemm.c:1: error: no such thing' >&2\nexit 1\n", {
      mode: 0o755,
    });
    await buildNative(["nowhere-cc", compiler], build, [], kernels);
    expect(find).toThrow(
      `native: no library was built (nowhere-cc is not installed; ${compiler} fails: gemm.c:1: error: no such thing)`,
    );
  });
});
