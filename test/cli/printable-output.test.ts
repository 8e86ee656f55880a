/**
 * Every command against a hostile run, text, file name and argument: no character that acts on a terminal may reach
 * stdout or stderr, except text of a model in a pipe. Each case must print the hostile text, or it would show nothing.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../src/run/safetensors.ts";
import { ACTIVE_TEXT, activeIn } from "../support/active-characters.ts";
import { nopeekHere } from "../support/in-process.ts";
import { makeFolderWithText, START_MS, TRAIN_AND_SAMPLE } from "../support/program.ts";
import { latestStep, reseal, resealState } from "../support/run-files.ts";

/** What the hostile text starts with, or one of its characters in a list of unknown ones. */
const MARK = /evil|"\\u001b"/;
/** The hostile text as the name of a file or folder, and in JSON. */
const NAME = ACTIVE_TEXT.replaceAll("/", "_");
const IN_JSON = JSON.stringify(ACTIVE_TEXT);

const { folder, at, text } = makeFolderWithText(200);
/** A vocabulary with every active character, so that a model without training writes them. */
const LETTERS = Array.from(ACTIVE_TEXT);
const HOSTILE_TEXT = Array.from(text, (letter, i) => letter + LETTERS[i % LETTERS.length]).join("");
const STEPS = ["--steps", 2, "--checkpoint-interval", 1, "--eval-batches", 1];

beforeAll(async () => {
  writeFileSync(at("hostile.txt"), HOSTILE_TEXT);
  const flags = [...STEPS, "--eval-interval", 1, "--in-memory", 0, "--cache", "cache"];
  for (const words of [
    [...TRAIN_AND_SAMPLE, "--out", "run", ...flags],
    [...TRAIN_AND_SAMPLE, "--data", "hostile.txt", "--out", "letters", ...STEPS],
    [...TRAIN_AND_SAMPLE, "--data", "hostile.txt", "--model", "encoder", "--out", "blanks", ...STEPS],
  ]) {
    const { code, stderr } = await nopeekHere(folder, ...words);
    expect(code, stderr).toBe(0);
  }
}, START_MS);

afterEach(() => {
  rmSync(at("copy"), { recursive: true, force: true });
});

type Words = readonly (string | number)[];

/** Runs a command and checks everything that it prints. */
async function expectHarmless(...words: Words): Promise<string> {
  const { stdout, stderr } = await nopeekHere(folder, ...words);
  const shown = stdout + stderr;
  expect(shown).toMatch(MARK);
  expect(shown).not.toContain("bug in nopeek");
  expect(activeIn(shown), JSON.stringify(shown)).toEqual([]);
  return shown;
}

function edit(file: string, change: (text: string) => string): void {
  const path = at("copy", file);
  const before = readFileSync(path, "utf8");
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
}

const RESUME = ["train", "--resume", "--out", "copy", "--threads", 1];
const SAMPLE = ["sample", "--model", "copy", "--tokens", 3];

describe("a hostile run", () => {
  const cases: readonly (readonly [what: string, spoil: () => void, words: Words])[] = [
    ...[SAMPLE, RESUME, ["eval", "--model", "copy", "--data", "text.txt"], ["verify", "--model", "copy"]].map(
      (words) =>
        [
          `a setting's name: ${words[0]}`,
          () => edit("config.json", (json) => json.replace('"layers"', `${IN_JSON}: 1, "layers"`)),
          words,
        ] as const,
    ),
    [
      "a setting's value",
      () => edit("config.json", (json) => json.replace(/"positions": "\w+"/, `"positions": ${IN_JSON}`)),
      SAMPLE,
    ],
    [
      "a setting's name in a file of settings",
      () => writeFileSync(at("copy", "settings.json"), `{${IN_JSON}: 1}`),
      ["train", "--config", "copy/settings.json"],
    ],
    [
      "the path of its text, which is not there",
      () => edit("config.json", (json) => json.replace('"path": "text.txt"', `"path": ${IN_JSON}`)),
      [...RESUME, "--steps", 3, "--in-memory", 32],
    ],
    [
      "the path of its text, in the cache",
      () => edit("config.json", (json) => json.replace('"path": "text.txt"', `"path": ${IN_JSON}`)),
      [...RESUME, "--steps", 3, "--in-memory", 0, "--cache", "cache"],
    ],
    [
      "the path of its text, compared",
      () => edit("config.json", (json) => json.replace('"path": "text.txt"', `"path": ${IN_JSON}`)),
      ["plot", "run", "copy"],
    ],
    [
      "the path of its text, as JSON",
      () => edit("config.json", (json) => json.replace('"path": "text.txt"', `"path": ${IN_JSON}`)),
      ["plot", "copy", "--json"],
    ],
    [
      "the model that it fine-tunes",
      () => edit("config.json", (json) => json.replace('"settings"', `"from": ${IN_JSON}, "settings"`)),
      [...RESUME, "--steps", 3],
    ],
    [
      "what computed it",
      () =>
        resealState(at("copy"), (body) => {
          body.state.computedBy = ACTIVE_TEXT;
        }),
      [...RESUME, "--steps", 3],
    ],
    [
      "the name of a file in a state",
      () =>
        resealState(at("copy"), (body) => {
          body.files[ACTIVE_TEXT] = "0".repeat(64);
        }),
      SAMPLE,
    ],
    [
      "the name of a tensor",
      () => {
        const weights = readFileSync(join(latestStep(at("copy")), "model.safetensors"));
        const { tensors } = decodeSafetensors(weights, "model");
        const more = { shape: [0], values: new Float32Array(0) };
        reseal(at("copy"), encodeSafetensors(new Map([...tensors, [ACTIVE_TEXT, more]])));
      },
      SAMPLE,
    ],
    [
      "its pointers",
      () => {
        for (const pointer of ["latest", "best"]) writeFileSync(at("copy", pointer), ACTIVE_TEXT);
      },
      SAMPLE,
    ],
    [
      "the machine of its lock",
      () => {
        mkdirSync(at("copy", ".lock-1"));
        const owner = { pid: 1, started: ACTIVE_TEXT, machine: ACTIVE_TEXT, boot: ACTIVE_TEXT };
        writeFileSync(at("copy", ".lock-1", "owner.json"), JSON.stringify(owner));
      },
      RESUME,
    ],
    [
      "a sample in its log, as JSON",
      () =>
        edit(
          "log.jsonl",
          (log) => `${log}${JSON.stringify({ kind: "sample", step: 2, text: ACTIVE_TEXT })}\n`,
        ),
      ["plot", "copy", "--json"],
    ],
  ];

  it.each(cases)("%s", async (_what, spoil, words) => {
    cpSync(at("run"), at("copy"), { recursive: true });
    spoil();
    await expectHarmless(...words);
  });

  it("a warning in the cache of its text", async () => {
    cpSync(at("run"), at("copy"), { recursive: true });
    const [name] = readdirSync(at("cache"));
    const bytes = readFileSync(at("cache", name));
    const end = bytes.indexOf("\n");
    const header = bytes.subarray(0, end).toString().trimEnd();
    expect(header).toContain('"warnings":[]');
    const changed = header.replace('"warnings":[]', `"warnings":[${IN_JSON}]`);
    mkdirSync(at("spoiled"));
    writeFileSync(at("spoiled", name), Buffer.concat([Buffer.from(`${changed}\n`), bytes.subarray(end + 1)]));
    await expectHarmless(...RESUME, "--steps", 3, "--in-memory", 0, "--cache", "spoiled");
  });
});

describe("text of a model", () => {
  /** Runs a command while stdout seems to be a terminal. */
  async function onTerminal(...words: Words): Promise<string> {
    const before = Object.getOwnPropertyDescriptor(process.stdout, "isTTY");
    Object.defineProperty(process.stdout, "isTTY", { value: true, configurable: true });
    try {
      const { stdout, stderr, code } = await nopeekHere(folder, ...words);
      expect(code, stderr).toBe(0);
      return stdout + stderr;
    } finally {
      if (before === undefined) Reflect.deleteProperty(process.stdout, "isTTY");
      else Object.defineProperty(process.stdout, "isTTY", before);
    }
  }

  const prompt = ["--prompt", "t", "--seed", 3];
  const letters = ["sample", "--model", "letters", "--tokens", 300, "--temperature", 2, ...prompt];

  it("acts in a pipe only", async () => {
    const { stdout } = await nopeekHere(folder, ...letters);
    expect(activeIn(stdout).length).toBeGreaterThan(10);
    const shown = await onTerminal(...letters);
    expect(activeIn(shown)).toEqual([]);
    expect(shown).toContain("\ufffd");
  });

  it.each<[string, Words]>([
    ["several texts", [...letters, "--samples", 2]],
    ["its explanation", [...letters, "--explain"]],
    [
      "beams",
      ["sample", "--model", "letters", "--strategy", "beam", "--best", 2, "--explain", "--tokens", 9],
    ],
    ["JSON", [...letters, "--json"]],
    ["filled blanks", ["sample", "--model", "blanks", "--prompt", "t_e _ox s___"]],
    ["predictions", ["logits", "--model", "letters", "--prompt", ACTIVE_TEXT.slice(4, 12)]],
    ["predictions of an encoder", ["logits", "--model", "blanks", "--prompt", "the f_x"]],
    ["a lesson", ["lesson", "mask", "--model", "letters", "--prompt", ACTIVE_TEXT.slice(4, 12)]],
    ["a training run", [...TRAIN_AND_SAMPLE, "--data", "hostile.txt", "--out", "again", ...STEPS]],
    ["checks", ["verify", "--model", "letters", "--break", "shift"]],
    ["a plot", ["plot", "letters"]],
  ])("%s: nothing that acts", async (_what, words) => {
    const { stdout, stderr } = await nopeekHere(folder, ...words);
    rmSync(at("again"), { recursive: true, force: true });
    expect(activeIn(stderr)).toEqual([]);
    expect(stdout + stderr).not.toBe("");
    const shown = words.includes("verify") ? stdout : await onTerminal(...words);
    rmSync(at("again"), { recursive: true, force: true });
    expect(activeIn(shown), JSON.stringify(shown)).toEqual([]);
  });
});

describe("a hostile name", () => {
  beforeAll(() => {
    cpSync(at("run"), at("runs", NAME), { recursive: true });
    mkdirSync(at("runs", `${NAME} damaged`), { recursive: true });
    writeFileSync(at("runs", `${NAME} damaged`, "config.json"), ACTIVE_TEXT);
    mkdirSync(at("texts"));
    writeFileSync(at("texts", NAME), new Uint8Array([0x61, 0xff]));
    mkdirSync(at("none", NAME), { recursive: true });
  });

  it.each<[string, Words]>([
    ["runs", ["runs", "runs"]],
    ["runs as JSON", ["runs", "runs", "--json"]],
    ["plot", ["plot", `runs/${NAME}`]],
    ["plot of what is no run", ["plot", "run", `none/${NAME}`]],
    ["sample", ["sample", "--model", `runs/${NAME} damaged`]],
    ["verify", ["verify", "--model", `runs/${NAME}`, "--texts", 1, "--positions", 2]],
    ["a text that is not UTF-8", [...TRAIN_AND_SAMPLE, "--data", "texts"]],
    ["a run", [...TRAIN_AND_SAMPLE, "--out", `runs/${NAME} new`, ...STEPS]],
    ["a run that exists", [...TRAIN_AND_SAMPLE, "--out", `runs/${NAME}`]],
    ["a folder without runs", ["runs", `none/${NAME}`]],
  ])("%s", async (_what, words) => {
    await expectHarmless(...words);
  });
});

/** Names a test without printing the hostile text. */
const labeled = (words: Words) =>
  [words.map((word) => String(word).replace(/evil.*/su, "…")).join(" "), words] as const;

describe("a hostile line of a chat", () => {
  const lines = ["", "/", "/stop ", "/top-k ", "/model "].map((start) => [`${start}${ACTIVE_TEXT}`]);

  it.each(lines.map(labeled))("%s", async (_what, [line]) => {
    writeFileSync(at("lines.txt"), String(line));
    await expectHarmless("chat", "run", "--prompts", "lines.txt");
  });
});

describe("a hostile argument", () => {
  const cases: readonly Words[] = [
    [ACTIVE_TEXT],
    ["train", `--${ACTIVE_TEXT}`],
    ["train", "--preset", ACTIVE_TEXT],
    ["train", "--layers", ACTIVE_TEXT],
    ["train", "--positions", ACTIVE_TEXT],
    ["train", "--data", ACTIVE_TEXT],
    ["train", "--config", ACTIVE_TEXT],
    ["train", "--from", ACTIVE_TEXT, "--data", "text.txt"],
    ["train", "--resume", "--out", ACTIVE_TEXT],
    ["train", ACTIVE_TEXT],
    ["sample", "--model", ACTIVE_TEXT],
    ["sample", "--model", "run", "--tokens", 2, "--stop", ACTIVE_TEXT.replaceAll("\\", "")],
    ["sample", "--model", "run", "--stop", ACTIVE_TEXT],
    ["chat", ACTIVE_TEXT],
    ["chat", "run", "--prompts", ACTIVE_TEXT],
    ["sample", "--model", "run", "--prompt", ACTIVE_TEXT],
    ["sample", "--model", "run", "--tokens", 2, "--prompt", `the ${ACTIVE_TEXT}`, "--unknown", "drop"],
    ["eval", "--model", "run", "--data", ACTIVE_TEXT],
    ["logits", "--model", "run", "--prompt", ACTIVE_TEXT],
    ["runs", ACTIVE_TEXT],
    ["plot", ACTIVE_TEXT],
    ["plot", "run", "--svg", `${ACTIVE_TEXT}/a.svg`],
    ["data", ACTIVE_TEXT],
    ["data", "tinyshakespeare", "--out", "shakespeare.txt", "--url", ACTIVE_TEXT],
    ["lesson", ACTIVE_TEXT],
    ["lesson", "mask", "--model", ACTIVE_TEXT],
    ["verify", "--break", ACTIVE_TEXT],
    ["bench", "--preset", ACTIVE_TEXT],
    ["ablate", "--vary", ACTIVE_TEXT],
    ["ablate", "--vary", `positions=${ACTIVE_TEXT}`],
  ];

  it.each(cases.map(labeled))("%s", async (_what, words) => {
    await expectHarmless(...words);
  });
});
