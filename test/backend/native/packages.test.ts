/** The package of a platform: laid out by the script, found by a program that is installed beside it, checked as any library. */
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import manifest from "../../../package.json" with { type: "json" };
import { buildNative } from "../../../scripts/build-native.ts";
import { makePackage, PLATFORMS, releaseLine } from "../../../scripts/native-packages.ts";
import {
  builtIn,
  findNativeLibrary,
  isNotBuilt,
  KERNELS,
  libraryFolders,
  packageOf,
} from "../../../src/backend/native/find-library.ts";
import { makeFolder } from "../../support/program.ts";

const folder = makeFolder();
const elsewhere = makeFolder();
const name = packageOf(platform(), arch());
const installed = join(folder, "node_modules", name);
const kernels = pathToFileURL(`${join(folder, "kernels")}/`);
const build = pathToFileURL(`${join(folder, "build")}/`);
const zig = join(folder, "zig");
const importer = pathToFileURL(join(folder, "node_modules/nopeek/dist/cli/main.js"));

/** A "compiler" that writes its first three arguments to the last one. */
const script = '#!/bin/sh\nfor last; do :; done\necho "$1 $2 $3" > "$last"\n';

const here = PLATFORMS.find((one) => one.platform === platform() && one.arch === arch());
/** The package, then what was built, as `libraryFolders` gives them. */
const folders = (from = importer) => [...libraryFolders(from).slice(0, -1), builtIn(build)];
const find = () => findNativeLibrary(folders(), kernels);

describe.skipIf(here === undefined || platform() === "win32")("the package of this platform", () => {
  beforeEach(async () => {
    for (const path of [installed, build, kernels]) rmSync(path, { recursive: true, force: true });
    cpSync(fileURLToPath(KERNELS), fileURLToPath(kernels), { recursive: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(zig, script, { mode: 0o755 });
    await makePackage(zig, here!, pathToFileURL(`${installed}/`), kernels);
  });

  it("is found, before what was built here, and was compiled for this platform", async () => {
    await buildNative([zig], build, [], kernels);
    expect(find()).toMatch(/kernels\.(so|dylib)$/);
    expect(find().startsWith(installed)).toBe(true);
    expect(readFileSync(find(), "utf8")).toBe(`cc -target ${here?.target}\n`);
    expect(isNotBuilt(folders())).toBe(false);
  });

  it("is refused if a byte differs, and says what to do, unless a library was built here", async () => {
    appendFileSync(find(), " ");
    const words = "native: the library is damaged: its SHA-256 is not the recorded one; install";
    expect(find).toThrow(`${words} ${name} again`);
    expect(isNotBuilt(folders())).toBe(false);
    await buildNative([zig], build, [], kernels);
    expect(find().startsWith(fileURLToPath(build))).toBe(true);
  });

  it("is refused if it belongs to other sources", () => {
    appendFileSync(new URL("gemm.c", kernels), "\n");
    expect(find).toThrow(`native: the library was built from other sources: install ${name} again`);
  });

  it("may be missing", () => {
    const without = folders(pathToFileURL(join(elsewhere, "main.js")));
    expect(without).toEqual([builtIn(build)]);
    expect(isNotBuilt(without)).toBe(true);
    expect(() => findNativeLibrary(without)).toThrow("native: no library was built: build it");
  });

  it("says that the compiler fails", async () => {
    writeFileSync(zig, "#!/bin/sh\necho 'error: no such target' >&2\nexit 1\n", { mode: 0o755 });
    await expect(makePackage(zig, here!, pathToFileURL(`${installed}/`), kernels)).rejects.toThrow(
      `${platform()}-${arch()}: ${zig} fails: error: no such target`,
    );
  });

  it("holds the library, its record and a license, for this platform alone", () => {
    const library = find().slice(installed.length + 1);
    // npm packs these files, and README, LICENSE and package.json.
    const files = [library, "native.json"];
    expect(readdirSync(installed).sort()).toEqual([...files, "LICENSE", "README.md", "package.json"].sort());
    const about = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(about).toMatchObject({ name, version: manifest.version, license: "MIT", files });
    const { os, cpu, libc } = about;
    expect({ os, cpu, libc }).toEqual({
      os: [platform()],
      cpu: [arch()],
      libc: here?.libc === undefined ? undefined : [here.libc],
    });
  });
});

it("the script says what a release adds to package.json", () => {
  const added = JSON.parse(`{${releaseLine("1.2.3")}}`);
  expect(Object.keys(added)).toHaveLength(PLATFORMS.length);
  expect(added["@nopeek/native-linux-arm64"]).toBe("1.2.3");
});
