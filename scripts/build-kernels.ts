/**
 * Compiles the WebAssembly kernels from src/backend/wasm/kernels/index.ts (AssemblyScript):
 * src/backend/wasm/kernels.wasm, and kernels-fast.wasm with relaxed SIMD enabled (see kernels/multiply-add.ts). Run
 * by `npm run build:kernels`.
 *
 * The memory of a module is imported and shared, and kernels allocate nothing, so one instance per thread can work on
 * the same memory. The only static data are constants (see kernels/constants.ts) at address 64, to which every
 * instance writes the same bytes.
 *
 * Each module contains a digest of its sources, so an unchanged module is not rebuilt.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const kernels = "src/backend/wasm/kernels/";
const compiler = "node_modules/assemblyscript/bin/asc.js";
const digestSection = "nopeek.sources";

/** 65536 pages of 64 KiB are the 4 GiB that 32-bit addresses can reach. */
const options = `
  --optimizeLevel 3 --shrinkLevel 0 --noAssert --runtime stub --enable simd --enable threads
  --importMemory --noExportMemory --sharedMemory --initialMemory 1 --maximumMemory 65536 --memoryBase 64
`;

const targets = [
  { path: `${root}src/backend/wasm/kernels.wasm`, also: [] },
  { path: `${root}src/backend/wasm/kernels-fast.wasm`, also: ["--enable", "relaxed-simd"] },
];

const digest = digestOfSources();
await Promise.all(targets.filter(({ path }) => !digest.equals(digestOf(path))).map(build));

async function build({ path, also }: (typeof targets)[number]): Promise<void> {
  const startMs = performance.now();
  // Renamed when complete, so that a reader never finds a partial module.
  const partial = path.replace(".wasm", `.${process.pid}.wasm`);
  await compile(partial, also);
  appendFileSync(partial, customSection(digestSection, digest));
  renameSync(partial, path);
  console.log(`Compiled ${basename(path)} in ${Math.round(performance.now() - startMs)} ms.`);
}

/**
 * Runs the compiler as a separate process: it prints its own messages, and its global types stay out of this program.
 */
async function compile(output: string, also: readonly string[]): Promise<void> {
  const words = [
    compiler,
    `${kernels}index.ts`,
    "--outFile",
    output,
    ...options.trim().split(/\s+/),
    ...also,
  ];
  const [status] = await once(spawn(process.execPath, words, { cwd: root, stdio: "inherit" }), "exit");
  if (status === 0) return;
  console.error("The kernels do not compile; see the messages above.");
  process.exit(1);
}

/** SHA-256 of the compiler's version, this script (for its options) and all kernel sources. */
function digestOfSources(): Buffer {
  const names = readdirSync(root + kernels, { recursive: true, encoding: "utf8" });
  const sources = names.filter((name) => name.endsWith(".ts")).map((name) => kernels + name);
  const hash = createHash("sha256");
  for (const path of [
    "node_modules/assemblyscript/package.json",
    "scripts/build-kernels.ts",
    ...sources.sort(),
  ]) {
    const contents = readFileSync(root + path);
    hash.update(`${path} ${contents.length}\n`).update(contents);
  }
  return hash.digest();
}

/** The digest inside the module on disk; empty if there is no such module. */
function digestOf(target: string): Buffer {
  try {
    // The digest is the last section. Read from the file, because this engine may not be able to compile relaxed
    // SIMD.
    const section = customSection(digestSection, digest);
    const bytes = readFileSync(target).subarray(-section.length);
    const contents = bytes.subarray(-digest.length);
    return bytes.equals(customSection(digestSection, contents)) ? contents : Buffer.alloc(0);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Id 0, length of the rest, length of the name, name, contents. Each length is below 128 and so fits in one byte. */
function customSection(name: string, contents: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from([name.length]), Buffer.from(name), contents]);
  return Buffer.concat([Buffer.from([0, named.length]), named]);
}
