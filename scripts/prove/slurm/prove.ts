/**
 * Trains under a Slurm of two nodes: as tasks of `srun`, to the bits of one process, and by the script of
 * docs/cluster.md, which is asked to stop, put back into the queue and displaced by another job. Each time it must save,
 * and continue from there, to the bits of a run that was never stopped.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Random } from "../../../src/random.ts";
import { readPage } from "../../../test/support/pages.ts";
import { compare, finalBits, textOf } from "../kills.ts";
import { missingForSlurm, SlurmCluster } from "./cluster.ts";

const MAIN = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
const OUT = "checkpoints/novel";
/** What the script of the page says of the run; the rest is chosen for a short one. */
const OF_PAGE = "--data novel.txt --grad-accumulation 8 --batch-size 4";
const SIZES =
  "--layers 1 --heads 2 --d-model 6 --context-length 13 --dropout 0.1 --threads 1 --log-every 1 --no-samples";
/** Steps of the runs by `srun`, and of the one that is stopped three times. */
const FEW_STEPS = 8;
const STEPS = 250;
/** A job that does not do what it was asked to in this time hangs. */
const HANG_MS = 60_000;
const LOOK_MS = 50;

export interface SlurmReport {
  /** Runs as tasks of `srun`, each with its plugin and its number of tasks. */
  readonly runs: readonly string[];
  /** What made the job of the script stop and save. */
  readonly stops: readonly string[];
  /** Why nothing, or not everything, was run; null if all was. */
  readonly skipped: string | null;
}

/** @throws Error if a run ends with other bits, does not save when it is stopped, or is not resumed */
export async function proveSlurm(folder: string, seed: number): Promise<SlurmReport> {
  const missing = missingForSlurm();
  if (missing !== null) return { runs: [], stops: [], skipped: missing };
  mkdirSync(join(folder, "slurm"));
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  symlinkSync(MAIN, join(folder, "node_modules/.bin/nopeek"));
  writeFileSync(join(folder, "novel.txt"), textOf(Random.of(seed, "slurm")));
  const cluster = await SlurmCluster.start(join(folder, "slurm"));
  try {
    const candidates = ["pmix", "pmi2"];
    const supported = await Promise.all(candidates.map((plugin) => cluster.supports(plugin)));
    const plugins = candidates.filter((_, i) => supported[i]);
    const runs = await proveTasks(cluster, folder, plugins);
    const stops = plugins.includes("pmix") ? await proveScript(cluster, folder) : [];
    const without = candidates.filter((plugin) => !plugins.includes(plugin));
    return { runs, stops, skipped: without.length === 0 ? null : `no library for ${without.join(" and ")}` };
  } finally {
    await cluster.close();
  }
}

const trainWords = (steps: number, out: string) =>
  ["train", ...`${OF_PAGE} ${SIZES} --steps ${steps} --out ${out}`.split(" ")] as const;

/** Trains on one process, without Slurm. */
function trainAlone(folder: string, steps: number, out: string): void {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...trainWords(steps, out)], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the run on one process failed: ${stderr}`);
}

/** Runs on 1, 2 and 4 tasks of two nodes. */
async function proveTasks(
  cluster: SlurmCluster,
  folder: string,
  plugins: readonly string[],
): Promise<string[]> {
  trainAlone(folder, FEW_STEPS, "alone");
  const runs: string[] = [];
  for (const plugin of plugins)
    for (const tasks of [1, 2, 4]) {
      const name = `${plugin}-${tasks}`;
      const nodes = Math.min(tasks, 2);
      const srun = [`--nodes=${nodes}`, `--ntasks=${tasks}`, `--mpi=${plugin}`, "--kill-on-bad-exit=1"];
      const command = [...srun, process.execPath, MAIN, ...trainWords(FEW_STEPS, name)];
      const { code, output } = await cluster.run("srun", command, folder);
      if (code !== 0) throw new Error(`${name}: srun ended with ${code}: ${output}`);
      const together = new RegExp(`^training on ${tasks} processes`, "m").test(output);
      if (together !== tasks > 1) throw new Error(`${name}: the tasks did not work together: ${output}`);
      compare(name, finalBits(join(folder, name)), finalBits(join(folder, "alone")));
      runs.push(name);
    }
  return runs;
}

/** Submits the script of docs/cluster.md, and stops it in each way that Slurm has. */
async function proveScript(cluster: SlurmCluster, folder: string): Promise<string[]> {
  trainAlone(folder, STEPS, "long");
  const [, script = ""] =
    /```bash\n(#!\/bin\/bash\n#SBATCH[\s\S]*?)```/.exec(readPage("docs/cluster.md")) ?? [];
  const short = script.replace(`(${OF_PAGE} --steps 20000)`, `(${OF_PAGE} ${SIZES} --steps ${STEPS})`);
  if (short === script) throw new Error(`the script of docs/cluster.md has no settings ${OF_PAGE}`);
  writeFileSync(join(folder, "job.sh"), short);
  // Options of the command line count more than those of the script.
  const size = ["--ntasks-per-node=1", "--cpus-per-task=2", "--time=10", "--signal=USR1@60"];
  const submitted = await submit(cluster, folder, [...size, "--output=job.txt", "job.sh"]);
  const stops = {
    "a signal": () => cluster.run("scancel", ["--signal=USR1", submitted]),
    "scontrol requeue": () => cluster.run("scontrol", ["requeue", submitted]),
    "an urgent job": () =>
      submit(cluster, folder, ["--partition=urgent", "--nodes=2", "--exclusive", "--wrap=true"]),
  };
  const job = new Job(join(folder, "job.txt"));
  for (const [i, [name, stop]] of Object.entries(stops).entries()) {
    await job.shows(`a step before ${name}`, /^step \d/gm, job.count(/^step \d/gm) + 1);
    await stop();
    await job.shows(`that it saved after ${name}`, /^stopped after step \d+ and saved/gm, i + 1);
    await job.shows(`that it resumed after ${name}`, /^resumed +after step \d/gm, i + 1);
  }
  await job.shows("its end", new RegExp(`^step ${STEPS}/`, "gm"), 1);
  while ((await cluster.run("squeue", ["-h", `--job=${submitted}`])).output !== "") await pause(LOOK_MS);
  compare("the job", finalBits(join(folder, OUT)), finalBits(join(folder, "long")));
  return Object.keys(stops);
}

/** @returns the number of the job */
async function submit(cluster: SlurmCluster, folder: string, words: readonly string[]): Promise<string> {
  const { code, output } = await cluster.run("sbatch", ["--parsable", ...words], folder);
  if (code !== 0) throw new Error(`sbatch ${words.join(" ")}: ${output}`);
  return output.trim();
}

/** What a job prints. */
class Job {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  count(pattern: RegExp): number {
    return this.#output().match(pattern)?.length ?? 0;
  }

  /** Waits until a pattern was printed `times` times. */
  async shows(what: string, pattern: RegExp, times: number): Promise<void> {
    const endMs = performance.now() + HANG_MS;
    while (this.count(pattern) < times) {
      if (performance.now() > endMs)
        throw new Error(`the job of the script did not print ${what}: ${this.#output()}`);
      await pause(LOOK_MS);
    }
  }

  #output(): string {
    return existsSync(this.#file) ? readFileSync(this.#file, "utf8") : "";
  }
}
