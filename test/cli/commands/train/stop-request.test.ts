/**
 * A training run that is asked to stop at any moment, in its process: at each scope, which is each batch of a step, of
 * an evaluation and of a sample. It stops there, saves, and the rest of the run is the same.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { Context } from "../../../../src/autograd/context.ts";
import { Stopped, StopRequest } from "../../../../src/cli/commands/train/stop-request.ts";
import { RunDirectory } from "../../../../src/run/on-disk.ts";
import { nopeekHere } from "../../../support/in-process.ts";
import { makeFolderWithText, TRAIN, TRAIN_AND_SAMPLE } from "../../../support/program.ts";

// The time between two keystrokes would be most of the test.
vi.mock("node:timers/promises", async (original) => {
  const timers = await original<typeof import("node:timers/promises")>();
  return { ...timers, setTimeout: () => timers.setImmediate() };
});

const { folder } = makeFolderWithText(200);
const SETTINGS = ["--steps", 6, "--dropout", 0.1, "--grad-accumulation", 2, "--keep-checkpoints", 99];
const KINDS = {
  estimates: ["--eval-interval", 2, "--eval-batches", 3, "--checkpoint-interval", 4],
  measurements: ["--eval-interval", 2, "--patience", 2, "--checkpoint-interval", 99, "--average-steps", 3],
} as const;
type Kind = keyof typeof KINDS;

/** After a stop, one batch checks the weights to save. A signal would end the program, having no handler. */
const ONLY_A_CHECK = { deaf: 0, mortal: 1 };

/**
 * Runs the program, and asks it to stop at the scope of this number, counted from the first step on: twice, as npm
 * does. Returns how many scopes there were, and how many were opened after the request with and without its handlers.
 */
async function stopAt(scope: number, ...words: readonly (string | number)[]) {
  let scopes = 0;
  const after = { deaf: 0, mortal: 0 };
  const { scope: open } = Context.prototype;
  const before = process.listenerCount("SIGINT");
  const spy = vi.spyOn(Context.prototype, "scope").mockImplementation(function (this: Context, mode, body) {
    const listening = process.listenerCount("SIGINT") > before;
    if (scopes > scope) after[listening ? "deaf" : "mortal"] += 1;
    if (listening && scopes++ === scope) {
      process.emit("SIGINT", "SIGINT");
      process.emit("SIGINT", "SIGINT");
    }
    return open.call(this, mode, body);
  });
  try {
    const outcome = await nopeekHere(folder, ...words);
    return { ...outcome, scopes, after };
  } finally {
    spy.mockRestore();
  }
}

/** Everything that a run leaves behind, except times and samples, which a stop may leave out. */
function remains(name: string) {
  const directory = RunDirectory.open(join(folder, name));
  const best = directory.loadStep("best");
  const kinds: readonly unknown[] = ["step", "evaluation", "estimate"];
  const log = directory.readLog().filter(({ kind }) => kinds.includes(kind));
  return {
    log: log.map(({ elapsedMs, ...rest }) => rest),
    latest: directory.latest(),
    best: best.name,
    state: directory.loadStep().state,
    weights: ["model.safetensors", "optimizer.safetensors"].map((file) =>
      readFileSync(join(folder, name, directory.latest() ?? "", file)).toString("base64"),
    ),
  };
}

describe.each(Object.keys(KINDS) as Kind[])("a run with %s", (kind) => {
  const run = (name: string) => [...TRAIN, ...SETTINGS, ...KINDS[kind], "--out", name];

  test("stops at any batch, and ends the same when it is resumed", async () => {
    const { scopes, code, stderr } = await stopAt(Number.POSITIVE_INFINITY, ...run(kind), "--no-samples");
    expect(code, stderr).toBe(0);
    const whole = remains(kind);
    let stops = 0;
    for (let at = 0; at < scopes; at += kind === "estimates" ? 3 : 2) {
      const name = `${kind} ${at}`;
      const stopped = await stopAt(at, ...run(name), "--no-samples");
      expect(stopped.code, name).toBe(130);
      expect(stopped.stderr).toContain("and saved; resume with");
      expect(stopped.after, name).toEqual(ONLY_A_CHECK);
      const resumed = await nopeekHere(folder, "train", "--resume", "--out", name, "--threads", 1);
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(remains(name), name).toEqual(whole);
      stops += 1;
    }
    expect(stops).toBeGreaterThan(5);
  }, 60_000);
});

test("a stop during a sample keeps the evaluation before it, and what was best", async () => {
  const run = (name: string) => [...TRAIN_AND_SAMPLE, ...SETTINGS, ...KINDS.measurements, "--out", name];
  await nopeekHere(folder, ...run("sampled"));
  // Two steps of two batches, one batch of the validation split, a few tokens.
  const stopped = await stopAt(2 * 2 + 1 + 3, ...run("not sampled"));
  expect(stopped).toMatchObject({ code: 130, after: ONLY_A_CHECK });
  expect(stopped.stderr).toContain("step 2: validation loss");
  const directory = RunDirectory.open(join(folder, "not sampled"));
  expect([directory.latest(), directory.best()]).toEqual(["step-000002", "step-000002"]);
  await nopeekHere(folder, "train", "--resume", "--out", "not sampled", "--threads", 1);
  expect(remains("not sampled")).toEqual(remains("sampled"));
});

test("a message that cannot be written ends a run like a signal: on a full disk as a failure", async () => {
  for (const [code, exitCode, reason] of [
    ["ENOSPC", 1, "cannot write the output: no space"],
    ["EPIPE", 130, null],
  ] as const) {
    const request = new StopRequest();
    const heard: (string | null)[] = [];
    request.listen((why) => heard.push(why));
    await request.check();
    for (let lost = 0; lost < 2; lost++) request.outputLost(Object.assign(new Error("no space"), { code }));
    expect(heard).toEqual([reason]);
    await expect(request.check()).rejects.toThrow(Stopped);
    // The save that follows is not stopped.
    await request.check();
    request.ignore();
    const exit = vi.spyOn(process, "exit").mockImplementation(() => {
      throw new Error("exited");
    });
    expect(() => request.exit()).toThrow("exited");
    expect(exit).toHaveBeenCalledWith(exitCode);
    exit.mockRestore();
  }
});
