/** Disks that are full or read-only, and folders without permission. Tests that the machine does not permit are skipped. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it, type TestContext } from "vitest";
import {
  expectComplaint,
  MAIN,
  makeFolderWithText,
  nopeek,
  Program,
  START_MS,
  succeed,
  TRAIN,
} from "../support/program.ts";

const { folder, at } = makeFolderWithText(200);
const NOBODY = 65534;
const training = [...TRAIN, "--steps", 40, "--checkpoint-interval", 10];

beforeAll(async () => {
  await succeed(folder, ...training, "--out", "whole");
}, START_MS);

function attempt(command: string, ...words: string[]): boolean {
  try {
    execFileSync(command, words, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Mounts a disk of this size in the folder while `use` runs. */
async function withDisk(
  test: TestContext,
  name: string,
  size: string,
  use: (disk: string) => Promise<void>,
): Promise<void> {
  const disk = at(name);
  mkdirSync(disk);
  const mounted = attempt("mount", "-t", "tmpfs", "-o", `size=${size}`, "none", disk);
  test.skip(!mounted, "no file system can be mounted");
  try {
    await use(disk);
  } finally {
    attempt("umount", disk);
  }
}

describe("a disk that fills up", () => {
  it("fails the run and keeps its checkpoints; with free space it resumes to the same bits", (test) =>
    withDisk(test, "disk", "64k", async (disk) => {
      const outcome = await nopeek(folder, ...training, "--out", "disk/run");
      expect(outcome.code).toBe(1);
      expect(outcome.stderr).toContain("the disk is full; free some space");
      expect(outcome.stderr).toContain("what was saved before is untouched");
      expect(outcome.stderr).not.toMatch(/^\s+at /m);
      // Some checkpoints fit and others do not, or this would prove nothing.
      const saved = readFileSync(at("disk/run/latest"), "utf8").trim();
      expect(["step-000010", "step-000020", "step-000030"]).toContain(saved);
      await succeed(folder, "sample", "--model", "disk/run", "--tokens", 3);

      expect(attempt("mount", "-o", "remount,size=1m", disk)).toBe(true);
      await succeed(folder, "train", "--resume", "--out", "disk/run");
      const [resumed, whole] = ["disk/run", "whole"].map((run) =>
        readFileSync(at(run, "step-000040/model.safetensors")),
      );
      expect(resumed.equals(whole)).toBe(true);
    }));

  it("is reported for standard output too", async (test) => {
    test.skip(!existsSync("/dev/full"), "there is no /dev/full here");
    const words = [process.execPath, MAIN, "sample", "--model", "whole"].join(" ");
    const outcome = await new Program("sh", ["-c", `${words} > /dev/full`], folder).outcome;
    expectComplaint(outcome, 1, "cannot write the output", "no space left");
  });

  it("saves a training run whose output fills it", async (test) => {
    test.skip(!existsSync("/dev/full"), "there is no /dev/full here");
    const words = [process.execPath, MAIN, ...training, "--steps", 99999, "--out", "unwritten", "--json"];
    const outcome = await new Program("sh", ["-c", `${words.join(" ")} > /dev/full`], folder).outcome;
    expect(outcome.code, outcome.stderr).toBe(1);
    expect(outcome.stderr).toContain("cannot write the output: ENOSPC");
    expect(outcome.stderr).toContain("and saved; resume with");
    expect(readFileSync(at("unwritten/latest"), "utf8")).toMatch(/^step-/);
  });
});

describe("a disk that is mounted read-only", () => {
  it("is reported; a run on it can still be sampled, and is not changed", (test) =>
    withDisk(test, "read-only", "1m", async (disk) => {
      cpSync(at("whole"), at("read-only/run"), { recursive: true });
      expect(attempt("mount", "-o", "remount,ro", disk)).toBe(true);
      const more = ["--steps", 50];
      const resumed = await nopeek(folder, "train", "--resume", "--out", "read-only/run", ...more);
      expectComplaint(resumed, 1, "the file system is read-only; use a folder on another one");
      const started = await nopeek(folder, ...training, "--out", "read-only/new");
      expectComplaint(started, 1, "cannot create read-only/new", "the file system is read-only");
      await succeed(folder, "sample", "--model", "read-only/run", "--tokens", 3);
      expect(readdirSync(at("read-only/run"))).toEqual(readdirSync(at("whole")));
    }));
});

describe("a folder without permission", () => {
  /** Runs as a user without write permission, also if root runs the tests. */
  async function forbidden(...words: (string | number)[]) {
    const uid = process.getuid?.() === 0 ? NOBODY : undefined;
    const run = (...all: (string | number)[]) =>
      new Program(process.execPath, [MAIN, ...all.map(String)], folder, uid).outcome;
    // If that user cannot reach node itself, it cannot be started.
    const works = await run("--version").then(
      ({ code }) => code === 0,
      () => false,
    );
    return works ? run(...words) : null;
  }

  it("is reported", async (test) => {
    mkdirSync(at("locked"));
    chmodSync(at("locked"), 0o555);
    chmodSync(folder, 0o755);
    const outcome = await forbidden(...training, "--out", "locked/run");
    if (outcome === null) return test.skip("another user cannot run the program from where it is");
    expectComplaint(outcome, 1, "cannot create locked/run", "permission denied");
    expect(readdirSync(at("locked"))).toEqual([]);

    writeFileSync(at("secret.txt"), "the fox");
    chmodSync(at("secret.txt"), 0o000);
    const unread = await forbidden("train", "--data", "secret.txt");
    if (unread !== null) expectComplaint(unread, 1, "secret.txt: you do not have permission to read it");
  });
});

describe("a place where no folder can be made", () => {
  it.runIf(existsSync("/proc/self"))(
    "ends training with the name of the folder, instead of trying forever",
    async () => {
      expectComplaint(
        await nopeek(folder, ...training, "--out", "/proc/x/run"),
        1,
        "cannot create /proc/x/run",
        "/proc",
      );
      const gone = "mkdir gone && cd gone && rmdir ../gone && exec";
      const { outcome } = new Program(
        "sh",
        ["-c", `${gone} "$0" "$1" train --steps 1`, process.execPath, MAIN],
        folder,
      );
      expectComplaint(await outcome, 1, "the current folder was deleted");
    },
  );
});
