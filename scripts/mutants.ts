/**
 * Mutation testing. Each mutant is a copy of the project with one line broken on purpose, and the tests that guard it
 * must fail. A surviving mutant means that a test cannot fail; this program then exits with status 1.
 *
 *   npx tsx scripts/mutants.ts [WORD]      only mutants whose promise or file contains the word
 */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MUTANTS, type Mutant } from "./mutants/list.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const copied = [
  "LICENSE",
  "src",
  "test",
  "scripts",
  "data",
  "checkpoints/tales",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
];

interface Outcome {
  readonly mutant: Mutant;
  readonly caught: boolean;
  readonly seconds: number;
}

const word = process.argv[2] ?? "";
const chosen = MUTANTS.filter(({ promise, file }) => promise.includes(word) || file.includes(word));
if (chosen.length === 0) {
  process.stderr.write(`no mutant has "${word}" in its promise or its file: see scripts/mutants/\n`);
  process.exit(1);
}
const parent = mkdtempSync(join(tmpdir(), "nopeek-mutants-"));
try {
  process.exitCode = (await runMutants(chosen)) ? 0 : 1;
} finally {
  rmSync(parent, { recursive: true });
}

/** Whether every mutant was caught. */
async function runMutants(mutants: readonly Mutant[]): Promise<boolean> {
  const guards = [...new Set(mutants.flatMap(({ tests }) => tests))];
  // Most mutants are guarded by one test file, which keeps one core busy. So there is one copy of the project per core.
  const folders = Array.from({ length: Math.min(availableParallelism(), mutants.length) }, copyProject);
  process.stderr.write(`${mutants.length} mutants, guarded by ${guards.length} test files\n`);
  if (!(await passes(folders[0], guards))) throw new Error("the tests fail on the unmodified project");

  const waiting = [...mutants];
  let caught = 0;
  const work = async (folder: string) => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const outcome = await runMutant(folder, mutant);
      if (outcome.caught) caught++;
      report(outcome);
    }
  };
  await Promise.all(folders.map(work));
  process.stdout.write(`${caught} of ${mutants.length} mutants caught\n`);
  return caught === mutants.length;
}

function report({ mutant, caught, seconds }: Outcome): void {
  const verdict = caught ? "caught  " : "SURVIVED";
  process.stdout.write(`${verdict} ${seconds.toFixed(1).padStart(5)} s  ${mutant.promise}\n`);
  if (!caught) process.stdout.write(`         ${mutant.file}: ${mutant.line} → ${mutant.broken}\n`);
}

/** Copies the project. Returns the folder of the copy. */
function copyProject(): string {
  const folder = mkdtempSync(join(parent, "copy-"));
  for (const part of copied)
    cpSync(join(root, part), join(folder, part), { recursive: true, filter: isOurs });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Clients of scripts/interop and peers of scripts/bench may be installed: gigabytes that no test needs. */
function isOurs(path: string): boolean {
  return !/[\\/](?:node_modules|\.venv|candle[\\/]target)$/.test(path);
}

async function runMutant(folder: string, mutant: Mutant): Promise<Outcome> {
  const path = join(folder, mutant.file);
  const source = readFileSync(path, "utf8");
  const parts = source.split(mutant.line);
  if (parts.length !== 2) {
    throw new Error(`${mutant.file}: found ${parts.length - 1} times instead of once: ${mutant.line}`);
  }
  const startMs = performance.now();
  writeFileSync(path, parts.join(mutant.broken));
  try {
    const compiled = !mutant.file.includes("/kernels/") || (await buildsKernels(folder));
    const caught = !compiled || !(await passes(folder, mutant.tests));
    return { mutant, caught, seconds: (performance.now() - startMs) / 1000 };
  } finally {
    writeFileSync(path, source);
    if (mutant.file.includes("/kernels/")) await buildsKernels(folder);
  }
}

function passes(folder: string, tests: readonly string[]): Promise<boolean> {
  return succeeds(folder, "node_modules/.bin/vitest", ["run", "--bail", "1", ...tests]);
}

function buildsKernels(folder: string): Promise<boolean> {
  return succeeds(folder, "node_modules/.bin/tsx", ["scripts/build-kernels.ts"]);
}

function succeeds(folder: string, program: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(join(root, program), args, { cwd: folder, maxBuffer: 1 << 28 }, (error) =>
      resolve(error === null),
    );
  });
}
