/** The MPIs of this machine, and the processes that they started. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface Mpi {
  readonly name: string;
  /** The launcher, and the words before the number of processes. */
  readonly launcher: string;
  readonly words: readonly string[];
}

const KNOWN: readonly Mpi[] = [
  {
    name: "Open MPI",
    launcher: "mpirun.openmpi",
    words: [
      ...["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"],
      // Containers often forbid reading the memory of another process.
      ...["--mca", "btl_vader_single_copy_mechanism", "none"],
    ],
  },
  { name: "MPICH", launcher: "mpirun.mpich", words: [] },
];

const installed = KNOWN.filter(
  ({ launcher }) => spawnSync(launcher, ["--version"], { stdio: "ignore" }).status === 0,
);

/** Each MPI to test with, and whether it has to be skipped, with a word in its name. */
export const MPIS = KNOWN.map((mpi) => {
  const skipped = !installed.includes(mpi);
  return { ...mpi, skipped, name: skipped ? `${mpi.name} (skipped: not installed here)` : mpi.name };
});

/** The process of this rank among those that were started with this word, by what the system says about processes. */
export function processOf(rank: number, word: string): number | null {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [program, ...words] = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      if (program !== process.execPath || !words.includes(word)) continue;
      const env = readFileSync(`/proc/${name}/environ`, "utf8").split("\0");
      if (env.some((each) => [`OMPI_COMM_WORLD_RANK=${rank}`, `PMI_RANK=${rank}`].includes(each)))
        return Number(name);
    } catch {
      // It has ended.
    }
  }
  return null;
}
