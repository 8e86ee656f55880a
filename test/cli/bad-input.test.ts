/** What people get wrong, and what they are told. Nothing that existed may be lost by it. */
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { encodeSafetensors } from "../../src/train/safetensors.ts";
import { nopeekHere } from "../support/in-process.ts";
import {
  expectComplaint,
  makeFolder,
  makeText,
  nopeek,
  START_MS,
  succeed,
  TINY,
  WORDS,
} from "../support/program.ts";
import { BAD_CONFIGS, type Case, TEXT } from "./bad-input/case.ts";
import { CONFIGS, FLAGS, SETTINGS, TEXTS } from "./bad-input/settings.ts";
import { COMMANDS, RUNS, SAMPLING } from "./bad-input/using.ts";

const folder = makeFolder();
const at = (...names: string[]) => join(folder, ...names);
let before: string;

beforeAll(async () => {
  writeFileSync(at("text.txt"), TEXT);
  const flags = ["--steps", 4, "--checkpoint-interval", 2, "--eval-batches", 1];
  await succeed(folder, "train", "--data", "text.txt", "--out", "run", ...TINY, ...flags);
  writeFileSync(at("empty.txt"), "");
  writeFileSync(at("short.txt"), "the fox");
  writeFileSync(at("greek.txt"), "the fox\nsees Ω".repeat(20));
  writeFileSync(at("latin-1.txt"), Buffer.from("gr\xfc\xdfe aus K\xf6ln", "latin1"));
  writeFileSync(at("other.txt"), makeText([...WORDS].reverse(), 300));
  writeFileSync(at("utf-16.txt"), Buffer.from("\ufeffthe fox", "utf16le"));
  writeFileSync(at("cut-off.txt"), Buffer.from(`${TEXT}é`).subarray(0, -1));
  mkdirSync(at("hollow"));
  symlinkSync("nowhere", at("dangling.txt"));
  for (const [name, text] of Object.entries(BAD_CONFIGS)) writeFileSync(at(name), text);
  mkdirSync(at("other-files"));
  writeFileSync(at("other-files", "thesis.tex"), "years of work");
  before = fingerprint(folder);
}, START_MS);

/** All names and bytes in a folder. */
function fingerprint(path: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(path, { recursive: true, encoding: "utf8" }).sort()) {
    hash.update(name);
    if (statSync(join(path, name), { throwIfNoEntry: false })?.isFile())
      hash.update(readFileSync(join(path, name)));
  }
  return hash.digest("hex");
}

const CASES: readonly Case[] = [
  ...TEXTS,
  ...CONFIGS,
  ...SETTINGS,
  ...FLAGS,
  ...SAMPLING,
  ...RUNS,
  ...COMMANDS,
];

describe("refused with a message, and nothing is lost", () => {
  // What one case makes by mistake is not the next one's.
  afterEach(() => rmSync(at("new"), { recursive: true, force: true }));

  it.each(CASES)("%s", async (_what, words, code, told) => {
    expectComplaint(await nopeekHere(folder, ...words), code, ...told);
    expect(fingerprint(folder)).toBe(before);
  });

  it("in a process of its own too", async () => {
    const some = CASES.filter((_, i) => i % 23 === 0);
    for (const [, words, code, told] of some) expectComplaint(await nopeek(folder, ...words), code, ...told);
    expect(fingerprint(folder)).toBe(before);
  });

  it("in more than a hundred ways", () => {
    expect(CASES.length).toBeGreaterThan(100);
    expect(new Set(CASES.map(([what]) => what)).size).toBe(CASES.length);
  });
});

describe("a run that is damaged", () => {
  const model = "step-000004/model.safetensors";
  const replace = (file: string, from: string | RegExp, to: string) => (copy: string) => {
    const text = readFileSync(join(copy, file), "utf8");
    expect(text).toMatch(from);
    writeFileSync(join(copy, file), text.replace(from, to));
  };

  const DAMAGES: readonly (readonly [string, (copy: string) => void, readonly string[]])[] = [
    [
      "weights cut short",
      (copy) => truncateSync(join(copy, model), 500),
      [model, "is damaged", "step-000002"],
    ],
    [
      "a flipped bit",
      (copy) => {
        const bytes = readFileSync(join(copy, model));
        bytes[bytes.length - 9] ^= 4;
        writeFileSync(join(copy, model), bytes);
      },
      [model, "is damaged", "step-000002"],
    ],
    ["weights gone", (copy) => rmSync(join(copy, model)), [model, "it is not there", "step-000002"]],
    [
      "another version",
      replace("config.json", '"version": 1', '"version": 8'),
      ["version 8", "reads version 1"],
    ],
    [
      "another version of a step",
      replace("step-000004/state.json", '"version": 1', '"version": 8'),
      ["version 8", "reads version 1"],
    ],
    ["another width", replace("config.json", '"dModel": 6', '"dModel": 8'), ["config.json", "parameters"]],
    [
      "an absurd width",
      replace("config.json", '"dModel": 6', '"dModel": 65536'),
      ["config.json", "parameters"],
    ],
    [
      "the same count in another shape",
      replace("config.json", /"contextLength": 13/, '"contextLength": 12'),
      ["config.json", "parameters"],
    ],
    ["an unknown setting", replace("config.json", "dModel", "dModle"), ['did you mean "dModel"?']],
    [
      "a config that is not JSON",
      (copy) => writeFileSync(join(copy, "config.json"), "{"),
      ["it is not JSON"],
    ],
    [
      "weights of another model",
      (copy) => {
        const tensors = new Map([["other", { shape: [2, 3], values: new Float32Array(6) }]]);
        const bytes = encodeSafetensors(tensors);
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        writeFileSync(join(copy, model), bytes);
        const file = join(copy, "step-000004/state.json");
        const { sha256: _, ...body } = JSON.parse(readFileSync(file, "utf8"));
        body.files["model.safetensors"] = sha256;
        const whole = createHash("sha256").update(JSON.stringify(body)).digest("hex");
        writeFileSync(file, JSON.stringify({ ...body, sha256: whole }));
      },
      ["holds 6"],
    ],
  ];

  it.each(DAMAGES)("%s", async (what, damage, told) => {
    const name = `damaged by ${what}`;
    cpSync(at("run"), at(name), { recursive: true });
    damage(at(name));
    const damaged = fingerprint(at(name));
    expectComplaint(await nopeek(folder, "sample", "--model", `${name}/step-000004`), 1, ...told);
    expect(fingerprint(at(name))).toBe(damaged);
    rmSync(at(name), { recursive: true });
  });

  it("is not resumed either", async () => {
    cpSync(at("run"), at("cut"), { recursive: true });
    truncateSync(at("cut", "step-000004/optimizer.safetensors"), 500);
    const damaged = fingerprint(at("cut"));
    const outcome = await nopeek(folder, "train", "--resume", "--out", "cut", "--steps", 6);
    expectComplaint(outcome, 1, "optimizer.safetensors", "is damaged", "step-000002", "cut/latest");
    expect(fingerprint(at("cut"))).toBe(damaged);

    // What the message advises works, and the optimizer is of no matter to a sample.
    await succeed(folder, "sample", "--model", "cut", "--tokens", 3);
    writeFileSync(at("cut", "latest"), "step-000002\n");
    const { stderr } = await succeed(folder, "train", "--resume", "--out", "cut");
    expect(stderr).toContain("resumed     after step 2");
    const [mended, whole] = ["cut", "run"].map((run) =>
      readFileSync(at(run, "step-000004/optimizer.safetensors")),
    );
    expect(mended.equals(whole)).toBe(true);
  });
});
