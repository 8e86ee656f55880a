import { describe, expect, it } from "vitest";
import { launchOf } from "../../../../src/cli/shared/processes/launcher.ts";

describe("the launcher of this process", () => {
  it.each([
    ["nothing", {}],
    ["Slurm without MPI", { SLURM_PROCID: "0", SLURM_NTASKS: "4" }],
  ])("%s starts it alone", (_, env) => {
    expect(launchOf(env)).toBeNull();
  });

  it.each([
    [
      "mpirun of Open MPI",
      { OMPI_COMM_WORLD_SIZE: "8", OMPI_COMM_WORLD_LOCAL_SIZE: "4" },
      8,
      4,
      "libmpi.so.40",
    ],
    ["mpirun of MPICH", { PMI_SIZE: "2", PMI_RANK: "0", MPI_LOCALNRANKS: "2" }, 2, 2, "libmpi.so.12"],
    [
      "srun with pmi2",
      { PMI_SIZE: "3", PMI_RANK: "1", SLURM_STEP_TASKS_PER_NODE: "2,1" },
      ...([3, 2, "libmpi.so.12"] as const),
    ],
    [
      "srun with pmix",
      { PMIX_RANK: "1", SLURM_STEP_NUM_TASKS: "16", SLURM_STEP_TASKS_PER_NODE: "4(x4)" },
      ...([16, 4, "libmpi.so.40"] as const),
    ],
    [
      "mpirun of MPICH, at a port",
      { PMI_PORT: "a:4", PMI_ID: "0", MPI_LOCALNRANKS: "2" },
      null,
      2,
      "libmpi.so.12",
    ],
    ["another one, with PMIx", { PMIX_RANK: "1" }, null, 1, "libmpi.so.40"],
  ])("%s starts several", (_, env, processes, onHost, library) => {
    const launch = launchOf(env);
    expect(launch).toMatchObject({ processes, onHost });
    expect(launch?.libraries[0]).toBe(library);
  });
});
