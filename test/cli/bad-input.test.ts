/** What people get wrong, and what they are told. Nothing that existed may be lost by it. */
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeSafetensors } from "../../src/train/safetensors.ts";
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

const folder = makeFolder();
const TEXT = makeText(WORDS, 300);
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
  writeFileSync(at("list.json"), "[1]");
  writeFileSync(at("key.json"), '{"layer": 3}');
  writeFileSync(at("value.json"), '{"heads": "many"}');
  mkdirSync(at("other-files"));
  writeFileSync(at("other-files", "thesis.tex"), "years of work");
  before = fingerprint(folder);
}, START_MS);

/** All names and bytes in a folder. */
function fingerprint(path: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(path, { recursive: true, encoding: "utf8" }).sort()) {
    hash.update(name);
    if (statSync(join(path, name)).isFile()) hash.update(readFileSync(join(path, name)));
  }
  return hash.digest("hex");
}

const train = ["train", "--data", "text.txt", "--out", "new", ...TINY, "--steps", 3];
const start = (...words: (string | number)[]) => [...train, ...words];
const data = (name: string) => ["train", "--data", name, "--out", "new", ...TINY];
const sample = (...words: (string | number)[]) => ["sample", "--model", "run", ...words];

type Case = readonly [
  what: string,
  words: readonly (string | number)[],
  code: 1 | 2,
  told: readonly string[],
];

const CASES: readonly Case[] = [
  // Texts.
  ["an empty text", data("empty.txt"), 1, ["empty.txt", "is empty"]],
  ["a text shorter than a window", data("short.txt"), 1, ["7 tokens are too few", "at least 131"]],
  ["a folder of what is no text", data("run"), 1, ["model.safetensors: ", "not valid UTF-8"]],
  ["a text that is not there", data("nowhere.txt"), 1, ["nowhere.txt: there is no such file"]],
  ["a text in a file's folder", data("text.txt/more"), 1, ["text.txt/more", "a part of the path is a file"]],
  ["a text in Latin-1", data("latin-1.txt"), 1, ["not valid UTF-8 at byte 2 (0xfc)", "Latin-1"]],
  ["an empty text to measure", ["eval", "--model", "run", "--data", "empty.txt"], 1, ["is empty"]],
  [
    "a text to measure with other letters",
    ["eval", "--model", "run", "--data", "text.txt.gz"],
    1,
    ["no such file"],
  ],
  ["a text that cannot be had", ["data", "tinyshakespear"], 2, ['did you mean "tinyshakespeare"']],
  // Configs.
  ["a config that is not there", start("--config", "none.json"), 2, ["none.json: there is no such file"]],
  ["a folder for a config", start("--config", "run"), 2, ["run: is a folder"]],
  ["a text for a config", start("--config", "text.txt"), 2, ["text.txt: is not JSON"]],
  ["a list for a config", start("--config", "list.json"), 2, ["must hold an object of settings"]],
  ["a config of a wrong key", start("--config", "key.json"), 2, ['no setting "layer"', '"layers"']],
  ["a config of a wrong value", start("--config", "value.json"), 2, ["value.json: --heads must be"]],
  ["a config and a preset", start("--config", "value.json", "--preset", "tales"), 2, ["choose one"]],
  // Sizes.
  ["heads that do not divide", start("--heads", 4), 2, ["--d-model must be a multiple of --heads", "6", "4"]],
  [
    "sizes that are 0, half, negative or absurd, all at once",
    start("--layers", 0, "--heads", 1.5, "--d-model", -8, "--batch-size", 99999999, "--steps", -1),
    2,
    [
      "--layers must be at least 1: got 0",
      "--heads must be a whole number: got 1.5",
      "--d-model must be at least 1: got -8",
      "--batch-size must be at most 65536: got 99999999",
      "--steps must be at least 0: got -1",
    ],
  ],
  ["endless layers", start("--layers", "Infinity"), 2, ["--layers", "It must be a number"]],
  [
    "a model larger than memory",
    start("--d-model", 65536, "--layers", 1000),
    2,
    ["51,540,461,", "parameters", "GiB can be had", "lower --d-model"],
  ],
  [
    "a context longer than the text",
    start("--context-length", 60000),
    1,
    ["60000", "at least 600001 tokens"],
  ],
  [
    "a batch larger than memory",
    start("--batch-size", 65536, "--layers", 999),
    2,
    ["65,536 windows of 13", "GiB"],
  ],
  ["steps that are no number", start("--steps", "NaN"), 2, ["--steps", "'NaN'", "It must be a number"]],
  ["a word for a number", start("--seed", "lucky"), 2, ["--seed", "'lucky'", "It must be a number"]],
  ["a flag without its value", start("--steps"), 2, ["--steps", "argument missing"]],
  [
    "a learning rate below its end",
    start("--learning-rate", 1e-5),
    2,
    ["--min-learning-rate must not be above"],
  ],
  // Words.
  ["an unknown command", ["trian"], 2, ["unknown command 'trian'", "Did you mean train?"]],
  ["an unknown flag", start("--layer", 3), 2, ["unknown option '--layer'", "Did you mean --layers?"]],
  ["a word too many", start("please"), 2, ["too many arguments"]],
  [
    "an unknown preset",
    start("--preset", "talse"),
    2,
    ['no preset "talse"', 'did you mean "tales"?', "tiny"],
  ],
  ["an unknown preset to time", ["bench", "--preset", "tyni"], 2, ['did you mean "tiny"?']],
  ["an unknown backend", start("--backend", "gpu"), 2, ["--backend", "'gpu'", "wasm, blas, auto, reference"]],
  ["no threads at all", start("--threads", 0), 2, ["It must be a whole number from 1 to 64"]],
  ["an unknown activation", start("--activation", "relu"), 2, ["'relu'", "gelu, gelu-tanh, relu2, swiglu"]],
  [
    "no rounds",
    ["bench", "--preset", "tiny", "--rounds", 0],
    2,
    ["--rounds must be a whole number of at least 1"],
  ],
  ["no model", ["eval", "--data", "text.txt"], 2, ["--model <folder>", "not specified"]],
  [
    "an unknown split",
    ["eval", "--model", "run", "--data", "text.txt", "--split", "test"],
    2,
    ["train, val, all"],
  ],
  // Prompts and sampling.
  ["an empty prompt", sample("--prompt", ""), 2, ["the prompt is empty"]],
  ["no token to score", ["logits", "--model", "run", "--prompt", ""], 2, ["1 to 13 tokens", "got 0"]],
  [
    "a prompt longer than logits see",
    ["logits", "--model", "run", "--prompt", TEXT.slice(0, 14)],
    2,
    ["got 14"],
  ],
  [
    "a prompt with unknown characters",
    sample("--prompt", "the Ω"),
    1,
    ['"Ω" (U+03A9)', "character 5", "byte"],
  ],
  ["a temperature below 0", sample("--temperature", -1), 2, ["--temperature must be", "≥ 0: got -1"]],
  ["a temperature of NaN", sample("--temperature", "NaN"), 2, ["--temperature", "It must be a number"]],
  ["top-k 0", sample("--top-k", 0), 2, ["--top-k must be a whole number ≥ 1: got 0"]],
  ["top-k 1.5", sample("--top-k", 1.5), 2, ["--top-k must be a whole number ≥ 1: got 1.5"]],
  ["top-p 0", sample("--top-p", 0), 2, ["--top-p must be above 0 and at most 1: got 0"]],
  ["top-p 2", sample("--top-p", 2), 2, ["--top-p must be above 0 and at most 1: got 2"]],
  ["fewer than no tokens", sample("--tokens", -1), 2, ["tokens", "≥ 0: got -1"]],
  ["a seed that is no whole number", sample("--seed", 1.5), 2, ["--seed must be a whole number"]],
  [
    "unequal prompts with one empty",
    sample("--prompt", "the", "--prompt", "", "--prompt", "fox sees"),
    2,
    ["prompt 2 of 3 is empty"],
  ],
  ["an empty stop string", sample("--stop", ""), 2, ["--stop must be a text of at least one character"]],
  ["no samples", sample("--samples", 0), 2, ["--samples must be a whole number ≥ 1: got 0"]],
  ["no beams", sample("--strategy", "beam", "--beams", 0), 2, ["--beams must be", "got 0"]],
  [
    "more beams than memory holds",
    sample("--strategy", "beam", "--beams", 1e9),
    2,
    ["--beams may be", "got 1,000,000,000"],
  ],
  [
    "a temperature for a search",
    sample("--strategy", "beam", "--temperature", 1),
    2,
    ["--temperature goes with --strategy sample or greedy"],
  ],
  // Models and runs.
  ["a model that is not there", ["sample", "--model", "nowhere"], 1, ["nowhere: there is no such folder"]],
  ["a folder that is no run", ["sample", "--model", "other-files"], 1, ["other-files: is not a run"]],
  [
    "a step that is not there",
    ["sample", "--model", "run/step-000003"],
    1,
    ["no step step-000003", "step-000002"],
  ],
  ["--out on a run", start("--out", "run"), 1, ["already holds a run, saved up to step-000004", "--resume"]],
  ["--out on other files", start("--out", "other-files"), 1, ["holds other files (thesis.tex)"]],
  ["--out on a file", start("--out", "text.txt"), 1, ["text.txt", "is a file"]],
  ["--out in a file", start("--out", "text.txt/run"), 1, ["text.txt/run: a part of the path is a file"]],
  ["--resume without --out", ["train", "--resume"], 2, ["--resume goes on with the run in --out"]],
  ["--resume of nothing", ["train", "--resume", "--out", "nowhere"], 1, ["nowhere: there is no such folder"]],
  [
    "--resume with other settings",
    ["train", "--resume", "--out", "run", "--layers", 2, "--seed", 7],
    2,
    ["only --steps", "may change: got --layers, --seed"],
  ],
  [
    "--resume on another text",
    ["train", "--resume", "--out", "run", "--data", "other.txt"],
    2,
    ["is not the text"],
  ],
  [
    "--resume to fewer steps",
    ["train", "--resume", "--out", "run", "--steps", 3],
    2,
    ["has made 4 steps already"],
  ],
];

describe("refused with a message, and nothing is lost", () => {
  it.each(CASES)("%s", async (_what, words, code, told) => {
    expectComplaint(await nopeek(folder, ...words), code, ...told);
    expect(fingerprint(folder)).toBe(before);
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
