/**
 * Compiles the native kernels (src/backend/native/kernels/, C) with this machine's compiler, once for each kind of
 * vectors, into one library: src/backend/native/build/. Run by `npm run build:native`, and by `npm run build`.
 *
 * A machine needs no compiler: without one, or if it fails, this records why and succeeds, and wasm computes. A library
 * of the same sources is not built again.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import {
  BUILD,
  builtIn,
  digestOfSources,
  findNativeLibrary,
  KERNELS,
  type NativeBuild,
  RECORD,
  sha256,
} from "../src/backend/native/find-library.ts";

const run = promisify(execFile);

/** No fused multiply-add, and no reordering: see src/backend/native/README.md. */
const FLAGS = ["-std=gnu11", "-O3", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=default"];

interface Variant {
  readonly name: string;
  readonly lanes: number;
  readonly flags: readonly string[];
}

const PLAIN: Variant = { name: "plain", lanes: 4, flags: [] };
const X64: readonly Variant[] = [
  PLAIN,
  { name: "avx2", lanes: 8, flags: ["-mavx2"] },
  { name: "avx512", lanes: 16, flags: ["-mavx512f"] },
];

/** What the library is compiled for. */
export interface Target {
  /** As in `process.platform`. */
  readonly platform: string;
  /** As in `process.arch`. */
  readonly arch: string;
  /** The first options of the compiler, for example the name that it has for this target. */
  readonly words: readonly string[];
}

const THIS_MACHINE: Target = { platform: process.platform, arch: process.arch, words: [] };

/** The kernels that are compiled once for each kind of vectors. */
const KERNEL_SOURCES = ["gemm.c", "attention.c", "unary.c", "elements.c", "cross-entropy.c", "optimizer.c"];

const SUFFIX: Readonly<Record<string, string>> = { darwin: ".dylib", win32: ".dll" };

/** The name of the library on a platform: "kernels.so". */
export const libraryName = (platform: string): string => `kernels${SUFFIX[platform] ?? ".so"}`;

/**
 * @param build the folder that gets the library and its record
 * @param also  further options of the compiler, for example sanitizers
 */
export async function buildNative(
  compilers: readonly string[],
  build = BUILD,
  also: readonly string[] = [],
  kernels = KERNELS,
  target = THIS_MACHINE,
): Promise<NativeBuild> {
  const record = await tryCompilers(compilers, build, also, kernels, target);
  mkdirSync(build, { recursive: true });
  writeFileSync(new URL(RECORD, build), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}

async function tryCompilers(
  compilers: readonly string[],
  build: URL,
  also: readonly string[],
  kernels: URL,
  target: Target,
): Promise<NativeBuild> {
  const sources = digestOfSources(kernels);
  const whys: string[] = [];
  for (const compiler of compilers) {
    const folder = mkdtempSync(join(tmpdir(), "nopeek-native-"));
    try {
      const made = await compile(compiler, folder, also, kernels, target);
      const contents = readFileSync(made);
      const file = libraryName(target.platform);
      mkdirSync(build, { recursive: true });
      // Renamed when complete: a program that has the old library open keeps it.
      const partial = new URL(`${file}.${process.pid}`, build);
      writeFileSync(partial, contents);
      renameSync(partial, new URL(file, build));
      return { sources, library: { file, sha256: sha256(contents) }, why: null };
    } catch (error) {
      whys.push(reasonOf(compiler, error));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return { sources, library: null, why: whys.join("; ") };
}

/** @returns the path of the library in `folder` */
async function compile(
  compiler: string,
  folder: string,
  also: readonly string[],
  kernels: URL,
  { platform, arch, words }: Target,
): Promise<string> {
  const flags = [...words, ...FLAGS, ...also];
  const variants = arch === "x64" ? X64 : [PLAIN];
  const jobs = variants.flatMap(({ name, lanes, flags: own }) =>
    KERNEL_SOURCES.map((source) => ({
      source,
      object: join(folder, `${name}-${source}.o`),
      own: [...own, `-DLANES=${lanes}`, `-DSUFFIX=${name}`],
    })),
  );
  jobs.push({ source: "cpu.c", object: join(folder, "cpu.o"), own: [] });
  const queue = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const source = fileURLToPath(new URL(job.source, kernels));
      await run(compiler, [...flags, ...job.own, "-c", source, "-o", job.object]);
    }
  };
  // All end before the folder is removed, even if one fails.
  const outcomes = await Promise.allSettled(Array.from({ length: availableParallelism() }, work));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  const library = join(folder, "kernels");
  // Otherwise a dylib holds the path at which it was linked: a temporary one, so that its bytes would never be the same.
  const named = platform === "darwin" ? [`-Wl,-install_name,${libraryName(platform)}`] : [];
  await run(compiler, [...flags, "-shared", ...named, ...jobs.map(({ object }) => object), "-o", library]);
  return library;
}

/** "cc is not installed", or the first line in which the compiler names an error. */
function reasonOf(compiler: string, error: unknown): string {
  if (!(error instanceof Error)) return `${compiler}: ${error}`;
  if ("code" in error && error.code === "ENOENT") return `${compiler} is not installed`;
  const said = "stderr" in error ? String(error.stderr) : error.message;
  return `${compiler} fails: ${said.split("\n").find((line) => /error/.test(line)) ?? said.split("\n")[0]}`;
}

function isBuilt(): boolean {
  try {
    findNativeLibrary([builtIn(BUILD)]);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href && !isBuilt()) {
  const { CC } = process.env;
  const startMs = performance.now();
  const { why } = await buildNative(CC ? [CC] : ["cc", "gcc", "clang"]);
  if (why === null)
    console.log(`Compiled the native kernels in ${Math.round(performance.now() - startMs)} ms.`);
  else console.log(`No native kernels (${why}): wasm computes, with the same bits.`);
}
