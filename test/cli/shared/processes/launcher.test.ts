import { describe, expect, it } from "vitest";
import {
  isOneOfSeveral,
  launchOf,
  prepareForMpi,
  rankOf,
  strangersOf,
} from "../../../../src/cli/shared/processes/launcher.ts";

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

describe("the number of this process", () => {
  it.each([
    ["started alone", {}, 0, false],
    ["a batch script of Slurm", { SLURM_PROCID: "0", SLURM_NTASKS: "4" }, 0, false],
    ["one task of srun", { SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "1", PMIX_RANK: "0" }, 0, false],
    ["the first of Open MPI", { OMPI_COMM_WORLD_SIZE: "2", OMPI_COMM_WORLD_RANK: "0" }, 0, true],
    ["the second of Open MPI", { OMPI_COMM_WORLD_SIZE: "2", OMPI_COMM_WORLD_RANK: "1" }, 1, true],
    ["the only one of Open MPI", { OMPI_COMM_WORLD_SIZE: "1", OMPI_COMM_WORLD_RANK: "0" }, 0, false],
    ["the third of MPICH", { PMI_SIZE: "3", PMI_RANK: "2" }, 2, true],
    ["the second of MPICH, at a port", { PMI_PORT: "a:4", PMI_ID: "1" }, 1, true],
    ["the fourth of srun without MPI", { SLURM_PROCID: "3", SLURM_STEP_NUM_TASKS: "4" }, 3, true],
    [
      "the fourth of srun with pmix",
      { PMIX_RANK: "3", SLURM_STEP_NUM_TASKS: "4", SLURM_PROCID: "3" },
      3,
      true,
    ],
  ])("%s is by what the launcher says", (_, env, rank, several) => {
    expect([rankOf(env), isOneOfSeveral(env)]).toEqual([rank, several]);
    const alone = { ...env, NOPEEK_MPI: "none" };
    expect([launchOf(alone), strangersOf(alone), rankOf(alone), isOneOfSeveral(alone)]).toEqual([
      null,
      1,
      0,
      false,
    ]);
  });
});

it("the environment is prepared for MPI libraries, and what the user has set stays", () => {
  const env = { OMPI_MCA_btl_tcp_links: "4" };
  prepareForMpi(env);
  expect(env).toEqual({ OMPI_MCA_btl_tcp_links: "4", UCX_MEM_EVENTS: "n" });
  const empty = {};
  prepareForMpi(empty);
  expect(empty).toEqual({ OMPI_MCA_btl_tcp_links: "2", UCX_MEM_EVENTS: "n" });
});
