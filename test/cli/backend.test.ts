/** `--backend blas` on the command line: messages, records, and resuming. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ifBlas, noBlas, noKoffi } from "../support/blas.ts";
import { expectComplaint, makeFolderWithText, nopeek, start, succeed } from "../support/program.ts";

const { folder } = makeFolderWithText(200);
/** Large enough for the library and for several threads. */
const size = ["--layers", 1, "--heads", 2, "--d-model", 32, "--context-length", 32, "--batch-size", 8];
const often = ["--eval-interval", 1000, "--checkpoint-interval", 1000, "--eval-batches", 1];
const train = ["train", "--data", "text.txt", "--preset", "gpt2-style", ...size, ...often, "--threads", 2];

afterEach(() => {
  delete process.env.NOPEEK_BLAS;
});

/** The record of the backend that computed a step. */
function computedBy(run: string, step: string): unknown {
  return JSON.parse(readFileSync(join(folder, run, step, "state.json"), "utf8")).state.computedBy;
}

it.skipIf(noKoffi)(
  "a library that NOPEEK_BLAS names and that is not there is an error, unless another backend computes",
  async () => {
    process.env.NOPEEK_BLAS = "/nowhere/libnot.so";
    const outcome = await nopeek(folder, "bench", "--backend", "blas");
    expectComplaint(outcome, 1, "/nowhere/libnot.so", "apt-get install", "--backend wasm");
    const { stderr } = await succeed(folder, ...train, "--steps", 2, "--out", "wasm");
    expect(stderr).toMatch(/^training .* on (wasm|native)$/m);
    expect(stderr).not.toContain("bits differ");
    expect(computedBy("wasm", "step-000002")).toBe("wasm");
  },
);

describe.skipIf(noBlas !== null)(`with a BLAS library${ifBlas}`, () => {
  it("the same run has the same bits, and prints once that others may not", async () => {
    const weights: Buffer[] = [];
    for (const out of ["one", "two"]) {
      const { stderr, stdout } = await succeed(
        folder,
        ...train,
        "--backend",
        "blas",
        "--steps",
        20,
        "--out",
        out,
      );
      expect(
        stderr.match(/^matrix products by .*: bits differ with the machine and the number of threads/gm),
      ).toHaveLength(1);
      expect(stderr).toMatch(/^training .* on blas \(.+\), 2 threads$/m);
      expect(stdout).not.toContain("bits differ");
      weights.push(readFileSync(join(folder, out, "step-000020", "model.safetensors")));
    }
    expect(weights[0].equals(weights[1])).toBe(true);
    expect(computedBy("one", "step-000020")).toMatch(/^blas \(.+\), 2 threads$/);
    // The library did compute: the default backend has different bits.
    await succeed(folder, ...train, "--steps", 20, "--out", "default");
    const usual = readFileSync(join(folder, "default", "step-000020", "model.safetensors"));
    expect(usual.equals(weights[0])).toBe(false);
  });

  it("an interrupted run prints the command to resume on the same backend; resuming on another is reported", async () => {
    const program = start(
      folder,
      ...train,
      "--json",
      "--backend",
      "blas",
      "--steps",
      5000,
      "--out",
      "stopped",
    );
    await program.shows(/"kind":"step","step":3,/, "stdout");
    program.process.kill("SIGINT");
    const { stderr, code } = await program.outcome;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain("--resume --out stopped --backend blas --threads 2\n");
    const resume = ["train", "--resume", "--out", "stopped", "--steps", 5000];
    const same = start(folder, ...resume, "--backend", "blas", "--threads", 2);
    await same.shows(/^step /m, "stderr");
    same.process.kill("SIGINT");
    expect((await same.outcome).stderr).not.toContain("until now it ran on");
    const other = start(folder, ...resume);
    await other.shows(/^step /m, "stderr");
    other.process.kill("SIGINT");
    expect((await other.outcome).stderr).toMatch(
      /not bit-identical .* until now it ran on blas \(.+\), 2 threads$/m,
    );
  });

  it("bench reports the library", async () => {
    const words = ["bench", "--backend", "blas", "--rounds", 1, "--threads", 1, ...size];
    const { stdout, stderr } = await succeed(folder, ...words, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ backend: "blas", library: expect.stringMatching(/\S/) });
    expect(stderr).toContain("products by");
  });
});
