/**
 * A run goes from the page to the command line and back, and ends with the bits of a run that was never interrupted.
 * The runs have dropout and several optimizers, so that misplaced randomness would show.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../../src/play/engine/engine.ts";
import type { SavedRun } from "../../../src/play/engine/saved-run.ts";
import { resumeCommand } from "../../../src/play/page/commands.ts";
import type { GivenFile } from "../../../src/play/protocol.ts";
import { RunDirectory } from "../../../src/run/on-disk.ts";
import { nodeEngine, questions, stepsOf, untilStopped } from "../../support/play.ts";
import { makeFolder, START_MS, succeed } from "../../support/program.ts";

const folder = makeFolder();
const TEXT = "text.txt";
const VERSE = Array.from(
  { length: 60 },
  (_, i) => `${i} Rosen und ${i * i} Nelken: ${"ab".repeat(i % 7)}\n`,
).join("");
writeFileSync(join(folder, TEXT), VERSE);
const SIZES = "--layers 1 --heads 2 --d-model 16 --context-length 8 --batch-size 3";
const STEPS = 40;

/** The files of a folder, as a person chooses it. */
function chosen(path: string, name = path): GivenFile[] {
  const root = join(folder, path);
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((inner) => existsSync(join(root, inner)) && !readdirSafe(join(root, inner)))
    .map((inner) => ({ path: `${name}/${inner}`, file: new Blob([readFileSync(join(root, inner))]) }));
}

function readdirSafe(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function given(path: string): GivenFile {
  return { path, file: new Blob([readFileSync(join(folder, path))]) };
}

/** Unpacks a saved run where the command line runs, and returns its folder. */
function unpack({ bytes, folder: name }: SavedRun): string {
  for (const [path, content] of Object.entries(unzipSync(bytes))) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return name;
}

/** Runs the command that the page shows. */
function resumed(command: string) {
  const [npx, nopeek, ...words] = command.split(" ");
  expect([npx, nopeek]).toEqual(["npx", "nopeek"]);
  return succeed(folder, ...words);
}

function weightsOf(run: string, step = STEPS): string[] {
  const { files } = JSON.parse(
    readFileSync(join(folder, run, `step-${String(step).padStart(6, "0")}`, "state.json"), "utf8"),
  );
  return [files["model.safetensors"], files["optimizer.safetensors"]];
}

const take = (engine: Engine, files: readonly GivenFile[]) =>
  questions.takeFiles(engine, { recipe: "small", changes: {}, files });

async function steps(engine: Engine, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await engine.stepOnce();
}

async function saveOf(engine: Engine): Promise<SavedRun> {
  return questions.save(engine, null);
}

describe.each([
  ["AdamW with dropout and an average of weights", "--dropout 0.1 --average-steps 5", "whole"],
  ["Muon, two batches a step", "--optimizer muon --grad-accumulation 2 --bigram", "muon"],
  [
    "patience, which ends the run early",
    "--patience 2 --learning-rate 0.3 --min-learning-rate 0.3 --eval-interval 4",
    "patient",
  ],
  [
    "tokens of bytes, epochs, and spikes skipped",
    "--tokenizer byte --windows epochs --skip-spikes 1.2",
    "bytes",
  ],
])("a run with %s", (_, flags, name) => {
  const training = [
    "train",
    "--data",
    TEXT,
    ...`${SIZES} --steps ${STEPS} ${flags}`.split(" "),
    "--checkpoint-interval",
    15,
  ];
  let last = STEPS;

  beforeAll(async () => {
    await succeed(folder, ...training, "--out", name);
    // Stopped after its first 15 steps, as a copy of the folder at that time would be.
    cpSync(join(folder, name), join(folder, `${name}-cut`), { recursive: true });
    const latest = readFileSync(join(folder, name, "latest"), "utf8").trim();
    last = Number(latest.slice("step-".length));
    if (name === "patient") expect(last).toBeLessThan(STEPS);
    const run = RunDirectory.open(join(folder, `${name}-cut`));
    const first = run.steps()[0];
    for (const step of run.steps().slice(1)) rmSync(join(run.path, step), { recursive: true });
    for (const pointer of ["latest", "best"]) writeFileSync(join(run.path, pointer), `${first}\n`);
  }, START_MS);

  test("goes over to the page, trains there, and returns: the bits of the command line alone", async () => {
    const page = await nodeEngine();
    const { engine } = page;
    const { message, needsText } = await take(engine, [...chosen(`${name}-cut`), given(TEXT)]);
    expect(message).toMatch(new RegExp(`^${name}-cut was checked and continues at step \\d+ of ${STEPS}`));
    expect(needsText).toBe(false);
    const start = engine.run?.trainer.stepsDone ?? 0;
    expect(start).toBeGreaterThan(0);
    await steps(engine, 3);
    const back = unpack(await saveOf(engine));
    expect(RunDirectory.open(join(folder, back)).latest()).toBe(`step-${String(start + 3).padStart(6, "0")}`);
    await succeed(folder, "train", "--resume", "--out", back, "--data", TEXT);
    expect(weightsOf(back, last)).toEqual(weightsOf(name, last));
    const losses = (run: string) =>
      RunDirectory.open(join(folder, run))
        .readLog()
        .filter(({ kind }) => kind === "step")
        .map(({ step, lossNats, gradientNorm, learningRate, skipped }) => [
          step,
          lossNats,
          gradientNorm,
          learningRate,
          skipped,
        ]);
    expect(losses(back)).toEqual(losses(name));
  });

  test("ends on the page with the same bits", async () => {
    const page = await nodeEngine();
    const { engine } = page;
    await take(engine, [...chosen(`${name}-cut`), given(TEXT)]);
    engine.start();
    await untilStopped(page);
    expect(engine.run?.isDone).toBe(true);
    expect(engine.run?.trainer.stepsDone).toBe(last);
    const saved = await saveOf(engine);
    rmSync(join(folder, saved.folder), { recursive: true, force: true });
    const ended = unpack(saved);
    expect(weightsOf(ended, last)).toEqual(weightsOf(name, last));
  });
});

test("a run of the page continues in the terminal, to the bits of either alone", async () => {
  // The tales: the settings, the config and the bits of `npm start`, with fewer steps.
  const changes = { steps: 24, contextLength: 32, measureTokens: 2000 };
  const page = await nodeEngine();
  const { engine } = page;
  await questions.open(engine, { recipe: "tales", changes });
  await steps(engine, 10);
  const saved = await saveOf(engine);
  expect(saved).toMatchObject({ folder: "tales-step-000010", textFile: null, isPure: true });
  expect(resumeCommand(saved)).toBe("npx nopeek train --resume --out tales-step-000010");
  const run = unpack(saved);
  engine.start();
  await untilStopped(page);
  const alone = unpack(await saveOf(engine));

  const flags = ["--preset", "tales", "--steps", 24, "--context-length", 32, "--warmup-steps", 24];
  flags.push("--measure-tokens", 2000);
  await succeed(folder, "train", ...flags, "--out", "by-command");
  const configOf = (path: string) => readFileSync(join(folder, path, "config.json"), "utf8");
  expect(configOf(run)).toBe(configOf("by-command"));
  const { stderr } = await resumed(resumeCommand(saved));
  expect(stderr).toContain("resumed     after step 10");
  expect(stderr).not.toContain("not bit-identical");
  expect(weightsOf(run, 24)).toEqual(weightsOf("by-command", 24));
  expect(weightsOf(alone, 24)).toEqual(weightsOf("by-command", 24));
});

test("a run on an own text comes with that text", async () => {
  const { engine } = await nodeEngine();
  const file = new Blob([VERSE]);
  await questions.takeFiles(engine, {
    recipe: "small",
    changes: { steps: 9, dModel: 16, heads: 2 },
    files: [{ path: "../<b>ü'n\u202e.txt", file }],
  });
  await steps(engine, 4);
  const saved = await saveOf(engine);
  expect(resumeCommand(saved)).toBe(
    "npx nopeek train --resume --out 'b-ü-n--step-000004' --data 'b-ü-n-.txt'",
  );
  const run = unpack(saved);
  const words = resumeCommand(saved).replaceAll("'", "");
  await resumed(words);
  expect(readFileSync(join(folder, "b-ü-n-.txt"), "utf8")).toBe(VERSE);
  expect(weightsOf(run, 9)).toHaveLength(2);
});

test("a run with steps without the mask says so in its folder, its log and when it is loaded", async () => {
  const page = await nodeEngine();
  const { engine } = page;
  await questions.open(engine, { recipe: "small", changes: { steps: 9, dModel: 16, heads: 2 } });
  await steps(engine, 2);
  engine.mask = "off";
  await steps(engine, 3);
  engine.mask = "on";
  await steps(engine, 1);
  const saved = await saveOf(engine);
  expect(saved.isPure).toBe(false);
  const run = unpack(saved);
  expect(readFileSync(join(folder, run, "NOTE.txt"), "utf8")).toContain(
    "3 steps of this run, between steps 3 and 5, ran without the causal mask",
  );
  const again = await nodeEngine();
  const { message } = await take(again.engine, [{ path: "saved.zip", file: new Blob([saved.bytes]) }]);
  expect(message).toContain("Some of its steps were made without the causal mask.");
  const opened = again.events.find((event) => event.kind === "opened");
  expect(opened?.kind === "opened" && opened.steps.map(({ mask }) => mask)).toEqual([
    "on",
    "on",
    "off",
    "off",
    "off",
    "on",
  ]);
  await steps(engine, 3);
  await steps(again.engine, 3);
  expect(stepsOf(again)).toEqual(stepsOf(page).slice(6));
  await resumed(resumeCommand(saved));
});

test("nothing is saved before the first step", async () => {
  const { engine } = await nodeEngine();
  await expect(saveOf(engine)).rejects.toThrow("no step has been made yet");
  await questions.open(engine, { recipe: "small", changes: {} });
  await expect(saveOf(engine)).rejects.toThrow("no step has been made yet");
});
