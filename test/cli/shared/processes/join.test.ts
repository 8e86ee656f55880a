import { openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  checkAlike,
  checkConnection,
  checkSuitable,
  joinProcesses,
  patienceOf,
  sharersOf,
} from "../../../../src/cli/shared/processes/join.ts";

const flags = { backend: "wasm" } as const;

describe("a process", () => {
  it.each([
    ["without a launcher", flags, {}],
    ["that mpirun started alone", flags, { OMPI_COMM_WORLD_SIZE: "1" }],
    ["of srun with one task", flags, { SLURM_STEP_NUM_TASKS: "1", SLURM_PROCID: "0", SLURM_NTASKS: "4" }],
    ["that is a batch script of Slurm", flags, { SLURM_PROCID: "0", SLURM_NTASKS: "4" }],
    [
      "that srun started with others, with --distributed none",
      { ...flags, distributed: "none" as const },
      { SLURM_STEP_NUM_TASKS: "4" },
    ],
    ["with --distributed none", { ...flags, distributed: "none" as const }, { OMPI_COMM_WORLD_SIZE: "4" }],
  ])("%s trains alone", async (_, given, env) => {
    expect(await joinProcesses("train", given, "1.0.0", env)).toBeNull();
  });

  it("that is to train with others, and was started alone, is refused", async () => {
    await expect(joinProcesses("train", { ...flags, distributed: "mpi" }, "1.0.0", {})).rejects.toThrow(
      "start it with mpirun -n 2 npx nopeek train",
    );
  });

  it("that srun started with others, without MPI, is refused with what would work", async () => {
    const env = { SLURM_STEP_NUM_TASKS: "4", SLURM_NTASKS: "4", SLURM_PROCID: "2" };
    for (const distributed of [undefined, "mpi" as const])
      await expect(
        joinProcesses("train", { ...flags, ...(distributed && { distributed }) }, "1.0.0", env),
      ).rejects.toThrow(
        /^srun has started 4 processes without MPI, .* use srun --mpi=pmix for Open MPI, or --mpi=pmi2/,
      );
  });

  it("whose library is missing names what was tried", async () => {
    const env = { OMPI_COMM_WORLD_SIZE: "2", NOPEEK_MPI: "libnone.so" };
    await expect(joinProcesses("train", flags, "1.0.0", env)).rejects.toThrow("tried libnone.so");
  });
});

describe("the connection to the launcher", () => {
  it("is refused if something else, or nothing, has its number", () => {
    for (const descriptor of ["0x", "999999", String(openSync("/dev/null", "r"))])
      expect(() => checkConnection(descriptor), descriptor).toThrow("node_modules/.bin/nopeek …");
  });

  it("may be one that uses no descriptor", () => {
    expect(() => checkConnection(undefined)).not.toThrow();
  });
});

describe("the processes that share processors", () => {
  const on = (host: string, processors: string) => ({ version: "1.0.0", host, processors, flags: {} });

  it.each([
    ["are all of a host, if nothing binds them", ["a ff", "a ff", "b ff"], 2, 2],
    ["are fewer if each is bound to other processors", ["a 0f", "a f0", "b 0f"], 2, 1],
    ["are those of a host if it does not say which it may use", ["a ", "a ", "b "], 2, 2],
    ["are told by the launcher where two hosts have one name", ["a ff", "a ff", "a ff", "a ff"], 2, 2],
  ])("%s", (_, started, onHost, expected) => {
    const all = started.map((text) => on(text.slice(0, 1), text.slice(2)));
    expect(sharersOf(all[0], all, onHost)).toEqual({ ofProcessors: expected, ofQuota: onHost });
  });
});

describe("processes that were started", () => {
  const first = {
    version: "1.0.0",
    host: "a",
    processors: "ff",
    flags: { seed: 1, data: ["x.txt"], samples: true },
  };

  it("alike may train", () => {
    expect(() => checkAlike([first, { ...first, host: "b" }])).not.toThrow();
  });

  it.each([
    [{ ...first, version: "1.0.1" }, "process 1 on b runs nopeek 1.0.1, process 0 on a nopeek 1.0.0"],
    [{ ...first, flags: { ...first.flags, seed: 2 } }, "with --seed 2, process 0 with --seed 1"],
    [{ ...first, flags: { data: ["x.txt"], samples: true } }, "with no --seed, process 0 with --seed 1"],
    [
      { ...first, flags: { ...first.flags, data: ["y.txt", "z"] } },
      "with --data y.txt z, process 0 with --data x.txt",
    ],
    [{ ...first, flags: { ...first.flags, samples: false } }, "with --no-samples, process 0 with --samples"],
  ])("differently are refused", (other, words) => {
    expect(() => checkAlike([first, { ...other, host: "b" }])).toThrow(words);
    expect(() => checkAlike([first, first, { ...other, host: "b" }])).toThrow("process 2 on b");
  });
});

describe("several processes", () => {
  it.each([
    [{ backend: "blas" }, "--backend blas gives other bits on other machines"],
    [{ backend: "wasm", fast: true }, "--fast gives other bits"],
    [{ backend: "wasm", data: ["a.txt", "-"] }, "cannot read one standard input"],
    [{ backend: "wasm", texts: ["-"] }, "cannot read one standard input"],
  ] as const)("do not train with %j", (given, words) => {
    expect(() => checkSuitable(given)).toThrow(words);
  });

  it.each([{ backend: "auto" }, { backend: "wasm" }, { backend: "reference", data: ["a.txt"] }] as const)(
    "train with %j",
    (given) => {
      expect(() => checkSuitable(given)).not.toThrow();
    },
  );
});

describe("the minutes that a process waits for the others", () => {
  it("are 30, or those of NOPEEK_MPI_TIMEOUT", () => {
    expect([undefined, "", "5", "0.5", "0"].map(patienceOf)).toEqual([
      30,
      30,
      5,
      0.5,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it.each(["-1", "soon"])("cannot be %s", (timeout) => {
    expect(() => patienceOf(timeout)).toThrow(`at least 0: got ${timeout}`);
  });
});
