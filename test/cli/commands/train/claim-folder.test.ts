/** The directories of runs that start at the same time, or where another was killed at its start. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimFolder, claimNextFolder } from "../../../../src/cli/commands/train/claim-folder.ts";
import { processes } from "../../../../src/cli/shared/process-lock.ts";
import { RunDirectory } from "../../../../src/run/on-disk.ts";
import { nopeekHere } from "../../../support/in-process.ts";
import { expectComplaint, makeFolder } from "../../../support/program.ts";

const home = process.cwd();
const folder = makeFolder();
const run = (name: string) => join("checkpoints", name);

beforeEach(() => process.chdir(folder));
afterEach(() => {
  process.chdir(home);
  rmSync(join(folder, "checkpoints"), { recursive: true, force: true });
});

/** What a process leaves that was killed between its lock and its first file. */
function leaveLock(path: string): void {
  mkdirSync(join(path, ".lock-1"), { recursive: true });
  const dead = { ...processes().self, pid: 2 ** 22 + 1 };
  writeFileSync(join(path, ".lock-1", "owner.json"), JSON.stringify(dead));
}

describe("claiming the next folder", () => {
  it("takes the first number that is free, and each caller another", () => {
    const claimed = ["my", "my", "other", "my"].map((name) => claimNextFolder(name));
    expect(claimed.map(({ path }) => path)).toEqual(["my-1", "my-2", "other-1", "my-3"].map(run));
    for (const { lock } of claimed) lock.release();
  });

  it("passes over runs, other files and folders with files, and takes empty ones", () => {
    RunDirectory.create(run("my-1"), {});
    writeFileSync(run("my-2"), "a file");
    mkdirSync(run("my-3"));
    writeFileSync(run("my-3/notes.txt"), "mine");
    leaveLock(run("my-4"));
    mkdirSync(run("my-5"));
    const claimed = [1, 2, 3].map(() => claimNextFolder("my"));
    expect(claimed.map(({ path }) => path)).toEqual(["my-4", "my-5", "my-6"].map(run));
    expect(readdirSync(run("my-4"))).toEqual([".lock-2"]);
    for (const { lock } of claimed) lock.release();
    expect(readFileSync(run("my-3/notes.txt"), "utf8")).toBe("mine");
  });

  it("a folder that is named belongs to one caller too, whatever it holds by now", () => {
    const { lock } = claimFolder("named");
    expect(() => claimFolder("named")).toThrow(`named: is in use by process ${process.pid}`);
    RunDirectory.create("named", {});
    expect(() => claimFolder("named")).toThrow(`named: is in use by process ${process.pid}`);
    lock.release();
    expect(() => claimFolder("named")).toThrow("already holds a run");
  });
});

it("an empty folder cannot be resumed: the run is to be started again", async () => {
  leaveLock("killed");
  const outcome = await nopeekHere(folder, "train", "--resume", "--out", "killed");
  expectComplaint(outcome, 1, "killed: is empty", "start it again, without --resume");
});
