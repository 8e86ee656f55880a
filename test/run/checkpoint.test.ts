import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import {
  readCheckpoint,
  readCheckpointModel,
  stepFolderName,
  stepOfName,
  writeCheckpoint,
} from "../../src/run/checkpoint.ts";
import { explainFailures } from "../../src/run/files.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";
import { messageOfA } from "../support/errors.ts";
import { someStep } from "./saved-steps.ts";

const FOLDER = "/step-000500";
const { best, ...contents } = someStep(500);
const memory = new MemoryFiles();
memory.createFolder(FOLDER);
writeCheckpoint(memory, FOLDER, contents);

const NAMES = ["model.safetensors", "optimizer.safetensors", "state.json"];

/** Reads the folder after one of its files was replaced by these bytes, or removed if null. */
function readWith(name: string, bytes: Uint8Array | null) {
  const files = new MemoryFiles(memory);
  if (bytes === null) files.remove(`${FOLDER}/${name}`);
  else files.write(`${FOLDER}/${name}`, bytes);
  return readCheckpoint(explainFailures(files), FOLDER);
}

const messageOf = messageOfA(CheckpointError);

/** state.json with some text replaced. */
function stateWith(from: string | RegExp, to: string): Uint8Array {
  const text = new TextDecoder().decode(memory.read(`${FOLDER}/state.json`));
  expect(text).toMatch(from);
  return new TextEncoder().encode(text.replace(from, to));
}

describe("step names", () => {
  it("have six digits or more", () => {
    expect([0, 500, 999_999, 1_000_000].map(stepFolderName)).toEqual([
      "step-000000",
      "step-000500",
      "step-999999",
      "step-1000000",
    ]);
    for (const step of [0, 7, 123_456, 9_999_999]) expect(stepOfName(stepFolderName(step))).toBe(step);
  });

  it.each([
    "step-7",
    "step-0000007",
    "step-00000x",
    "step-000007/",
    " step-000007",
    "step--00001",
    "step-99999999999999999999",
  ])("are not %j", (name) => {
    expect(stepOfName(name)).toBe(null);
  });
});

describe("a step directory", () => {
  it("reads what was written", () => {
    expect(readCheckpoint(memory, FOLDER)).toEqual(contents);
    expect(readCheckpointModel(memory, FOLDER)).toEqual({ step: 500, model: contents.model });
  });

  it.each(NAMES)("is rejected when %s is missing or truncated anywhere", (name) => {
    const whole = memory.read(`${FOLDER}/${name}`);
    expect(messageOf(() => readWith(name, null))).toContain(`${FOLDER}/${name}: it is not there`);
    for (let length = 0; length < whole.length; length++) {
      // The line break at the end of state.json is optional.
      if (name === "state.json" && length === whole.length - 1) continue;
      expect(messageOf(() => readWith(name, whole.subarray(0, length)))).toContain(`${FOLDER}/${name}: `);
    }
  });

  it.each(NAMES)("is rejected, or read unchanged, when a bit of %s flips", (name) => {
    const whole = memory.read(`${FOLDER}/${name}`);
    let harmless = 0;
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const flipped = whole.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      try {
        expect(readWith(name, flipped)).toEqual(contents);
        harmless += 1;
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        expect(error.message).toContain(`${FOLDER}/`);
      }
    }
    // In JSON, "1e-7" and "1E-7" are equal; in a tensor every bit counts.
    expect(harmless).toBeLessThanOrEqual(name === "state.json" ? 5 : 0);
  });

  it("is rejected when its files belong to different steps", () => {
    const other = new MemoryFiles();
    other.createFolder(FOLDER);
    writeCheckpoint(other, FOLDER, { ...contents, model: someStep(501).model });
    const bytes = other.read(`${FOLDER}/model.safetensors`);
    expect(messageOf(() => readWith("model.safetensors", bytes))).toMatch(
      /model.safetensors: is damaged: its SHA-256/,
    );
  });

  it("is rejected when its state was edited or has another version", () => {
    const read = (from: string | RegExp, to: string) =>
      messageOf(() => readWith("state.json", stateWith(from, to)));
    expect(read('"step": 500', '"step": 501')).toContain("its SHA-256 should be");
    expect(read('"variant": 0', '"variant": 1')).toContain("its SHA-256 should be");
    expect(read('"variant": 0,', "")).toContain("its SHA-256 should be");
    expect(read('"step": 500', '"step": -1')).toContain("is damaged");
    expect(read('"version": 1', '"version": 2')).toContain(
      "has format version 2; this nopeek reads version 1",
    );
    expect(read("nopeek step", "nopeek stop")).toContain('should begin with "format": "nopeek step"');
    expect(read(/"optimizer.safetensors": "\w+"/, '"../../secret": "x"')).toContain("is damaged");
  });

  it("accepts any indentation of state.json", () => {
    const text = new TextDecoder().decode(memory.read(`${FOLDER}/state.json`));
    const compact = new TextEncoder().encode(JSON.stringify(JSON.parse(text)));
    expect(readWith("state.json", compact)).toEqual(contents);
  });
});
