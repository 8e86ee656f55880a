import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeSafetensors } from "../../src/run/safetensors.ts";
import { succeedHere, succeedInJsonHere } from "../support/in-process.ts";
import {
  makeFolderWithText,
  makeText,
  type Outcome,
  parseLines,
  START_MS,
  start,
  succeed,
  TINY,
  TRAIN_AND_SAMPLE,
} from "../support/program.ts";

const { folder, text: TEXT } = makeFolderWithText(400);
const CHARACTERS = [...new Set(TEXT)].sort();
const VOCAB_SIZE = CHARACTERS.length;
const CONTEXT_LENGTH = 13;

let training: Outcome;
beforeAll(async () => {
  const flags = ["--warmup-steps", 2, "--eval-interval", 5, "--checkpoint-interval", 5, "--eval-batches", 2];
  training = await succeed(folder, ...TRAIN_AND_SAMPLE, "--out", "run", "--steps", 11, ...flags);
}, START_MS);

const json = async (...words: readonly (string | number)[]) => {
  const lines = await succeedInJsonHere(folder, ...words);
  expect(lines).toHaveLength(1);
  return lines[0];
};

describe("nopeek train", () => {
  it("prints a summary, then the progress, then the next commands", () => {
    const { tensors } = decodeSafetensors(
      readFileSync(join(folder, "run/step-000011/model.safetensors")),
      "model",
    );
    const parameters = [...tensors.values()].reduce((count, { values }) => count + values.length, 0);
    for (const words of [
      `${TEXT.length.toLocaleString("en")} characters`,
      `vocabulary of ${VOCAB_SIZE}`,
      `: ${parameters.toLocaleString("en")} parameters`,
      "11 steps of 39 tokens",
      "saved in    run",
      "time        about",
      "step 5: validation loss",
      "step 10: validation loss",
      "tokens/s",
      "npx nopeek sample --model run",
      "npx nopeek train --resume --out run --steps",
    ]) {
      expect(training.stderr).toContain(words);
    }
    const tenth = TEXT.length - Math.floor((TEXT.length * 9) / 10);
    expect(training.stderr).toMatch(
      new RegExp(
        `validation loss \\d\\.\\d{4} nats, \\d\\.\\d{4} bits per byte \\(whole split: ${tenth} tokens`,
      ),
    );
  });

  it("prints the sample on stdout, and nothing else", () => {
    expect(training.stdout.trim().length).toBeGreaterThan(100);
    for (const character of training.stdout) expect(CHARACTERS).toContain(character);
  });

  it("keeps the latest, the best and the newest checkpoints", () => {
    const steps = ["step-000005", "step-000010", "step-000011"];
    expect(readdirSync(join(folder, "run"))).toEqual([
      "best",
      "config.json",
      "latest",
      "log.jsonl",
      ...steps,
    ]);
    expect(readFileSync(join(folder, "run/latest"), "utf8").trim()).toBe("step-000011");
  });

  it("with --json prints one object per line on stdout, and messages on stderr", async () => {
    const flags = ["--steps", 3, "--eval-interval", 2, "--json"];
    const { stdout, stderr } = await succeedHere(folder, ...TRAIN_AND_SAMPLE, ...flags);
    const lines = parseLines(stdout);
    const kinds = lines.map(({ kind, step }) => [kind, step]);
    expect(kinds).toEqual([
      ["step", 1],
      ["step", 2],
      ["estimate", 2],
      ["sample", 2],
      ["step", 3],
      ["evaluation", 3],
      ["sample", 3],
      ["verdict", 3],
      ["sample", undefined],
    ]);
    const near = Math.log(VOCAB_SIZE);
    for (const { kind, lossNats } of lines) {
      if (kind === "step" || kind === "evaluation")
        expect(Math.abs(Number(lossNats) - near)).toBeLessThan(0.2);
    }
    expect(stderr).toContain("validation loss");
    // Without --out: the next free folder, named after the text.
    expect(readdirSync(join(folder, "checkpoints"))).toEqual(["text-1"]);
    expect(stderr).toContain("checkpoints/text-1");
  });

  it("without --data trains on the embedded tales, and the run holds no path of this machine", async () => {
    // The tales preset has rotary positions, which rotate pairs of channels.
    const flags = [...TINY, "--d-model", 8, "--context-length", 64, "--steps", 1];
    const { stderr } = await succeedHere(folder, "train", "--out", "tales", ...flags);
    expect(stderr).toContain("the embedded tales");
    expect(stderr).toMatch(/floor {7}\d\.\d{4} nats/);
    const config = JSON.parse(readFileSync(join(folder, "tales/config.json"), "utf8"));
    expect(config.config.corpus.path).toBe("the embedded tales");
    expect((await succeedHere(folder, "train", "--resume", "--out", "tales")).stderr).toContain(
      "after step 1",
    );
  });

  it("with --steps 0 saves the initial weights", async () => {
    await succeedHere(folder, ...TRAIN_AND_SAMPLE, "--out", "unborn", "--steps", 0);
    const { lossNats } = await json("eval", "--model", "unborn", "--data", "text.txt");
    expect(Math.abs(Number(lossNats) - Math.log(VOCAB_SIZE))).toBeLessThan(0.1);
  });
});

describe("nopeek eval", () => {
  it("prints the mean of −log p over the characters, in agreement with the logits", async () => {
    const short = TEXT.slice(100, 100 + CONTEXT_LENGTH + 1);
    writeFileSync(join(folder, "short.txt"), short);
    const evaluation = await json("eval", "--model", "run", "--data", "short.txt", "--split", "all");
    const { logits } = await json("logits", "--model", "run", "--prompt", short.slice(0, -1));
    const nats = rowsOf(logits).map((row, t) => {
      const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
      return Math.log(total) - row[CHARACTERS.indexOf(short[t + 1])];
    });
    const mean = nats.reduce((sum, each) => sum + each, 0) / nats.length;
    expect(evaluation.chars).toBe(CONTEXT_LENGTH);
    expect(evaluation.lossNats).toBeCloseTo(mean, 5);
    expect(evaluation.bitsPerChar).toBeCloseTo(mean / Math.LN2, 5);
  });

  it("counts every character of a split", async () => {
    const evaluation = await json("eval", "--model", "run", "--data", "text.txt");
    const boundary = Math.floor((TEXT.length * 9) / 10);
    expect(evaluation).toMatchObject({ split: "val", chars: TEXT.length - boundary });
    const { stdout, stderr } = await succeedHere(
      folder,
      ...["eval", "--model", "run/step-000011", "--data", "text.txt", "--split", "train"],
    );
    expect(stdout).toMatch(
      /^loss \d\.\d{4} nats per token, \d\.\d{4} bits per character, \d\.\d{4} bits per byte\n$/,
    );
    // The very first character has nothing before it.
    expect(stderr).toContain(`${(boundary - 1).toLocaleString("en")} characters`);
  });

  it("counts characters, not bytes", async () => {
    const text = makeText(["größe", "🦊", "für", "bird", "ü"], 200);
    writeFileSync(join(folder, "bytes.txt"), text);
    const flags = [...TINY, "--tokenizer", "byte", "--steps", 2];
    await succeedHere(folder, "train", "--data", "bytes.txt", "--out", "bytes", ...flags);
    const evaluation = await json("eval", "--model", "bytes", "--data", "bytes.txt");
    const bytes = Buffer.from(text);
    const held = bytes.subarray(Math.floor((bytes.length * 9) / 10));
    const chars = held.filter((byte) => byte < 0x80 || byte >= 0xc0).length;
    expect(chars).toBeLessThan(held.length);
    expect(evaluation).toMatchObject({ chars, tokens: held.length });
    const bits = (Number(evaluation.lossNats) * held.length) / Math.LN2;
    expect(evaluation.bitsPerChar).toBeCloseTo(bits / chars, 9);
    expect(evaluation.bitsPerByte).toBeCloseTo(bits / held.length, 9);

    const { stdout } = await succeedHere(folder, "logits", "--model", "bytes", "--prompt", "ü!");
    expect(stdout).toMatch(/^0xc3 .*\n0xbc .*\n"!" /);
    // Bytes that form no character appear as U+FFFD.
    const sampled = await json("sample", "--model", "bytes", "--prompt", "🦊", "--tokens", 40);
    const ids = numbersOf(sampled.tokens);
    expect(sampled.text).toBe(new TextDecoder().decode(Uint8Array.from(ids)));
  });
});

describe("nopeek logits", () => {
  it("prints a row per token in full precision, and the same through the cache", async () => {
    const prompt = TEXT.slice(0, CONTEXT_LENGTH);
    const whole = await json("logits", "--model", "run", "--prompt", prompt);
    const cached = await json("logits", "--model", "run", "--prompt", prompt, "--cached");
    expect(whole.tokens).toEqual([...prompt].map((character) => CHARACTERS.indexOf(character)));
    const rows = rowsOf(whole.logits);
    expect(rows).toHaveLength(CONTEXT_LENGTH);
    for (const row of rows) {
      expect(row).toHaveLength(VOCAB_SIZE);
      for (const logit of row) expect(Math.fround(logit)).toBe(logit);
      expect(new Set(row).size).toBeGreaterThan(VOCAB_SIZE / 2);
    }
    expect(cached).toEqual(whole);
  });
});

describe("nopeek sample", () => {
  const prompt = "the fox";
  const sample = (...words: readonly (string | number)[]) =>
    json("sample", "--model", "run", "--prompt", prompt, ...words);

  it("writes the prompt and its continuation; the same seed gives the same text", async () => {
    const first = await sample("--tokens", 60, "--seed", 3);
    const plain = await succeedHere(
      folder,
      ...["sample", "--model", "run", "--prompt", prompt, "--tokens", 60, "--seed", 3],
    );
    expect(plain.stdout).toBe(`${prompt}${first.text}\n`);
    const ids = numbersOf(first.tokens);
    expect(ids).toHaveLength(60);
    expect(first.text).toBe(ids.map((id) => CHARACTERS[id]).join(""));
    expect(first).toMatchObject({ prompt, seed: 3, ended: "length" });
    expect((await sample("--tokens", 60, "--seed", 4)).text).not.toBe(first.text);
  });

  it("greedy, --temperature 0, --top-k 1 and a tiny --top-p choose the most probable token", async () => {
    const { logits } = await json("logits", "--model", "run", "--prompt", prompt);
    const last = rowsOf(logits)[prompt.length - 1];
    const greedy = await sample("--tokens", 9, "--strategy", "greedy");
    expect(numbersOf(greedy.tokens)[0]).toBe(last.indexOf(Math.max(...last)));
    for (const flags of [
      ["--temperature", 0],
      ["--top-k", 1],
      ["--top-p", 1e-9],
    ]) {
      expect((await sample("--tokens", 9, ...flags)).text, flags.join(" ")).toBe(greedy.text);
    }
  });

  it("--overflow stop ends with the context, slide continues; of a long prompt the end counts", async () => {
    const stopped = await sample("--tokens", 30, "--overflow", "stop");
    const slid = await sample("--tokens", 30, "--overflow", "slide");
    expect(stopped.ended).toBe("context");
    expect(numbersOf(stopped.tokens)).toHaveLength(CONTEXT_LENGTH - prompt.length + 1);
    expect(numbersOf(slid.tokens)).toHaveLength(30);
    expect(String(slid.text).startsWith(String(stopped.text))).toBe(true);

    const long = ["sample", "--model", "run", "--prompt", TEXT.slice(0, 30), "--overflow", "stop"];
    const { stdout, stderr } = await succeedHere(folder, ...long);
    expect([...stdout]).toHaveLength(30 + 1 + "\n".length);
    expect(stderr).toContain("--overflow slide");
    const end = ["sample", "--model", "run", "--prompt", TEXT.slice(30 - CONTEXT_LENGTH, 30), "--tokens", 1];
    expect((await succeedHere(folder, ...end)).stdout.at(-2)).toBe(stdout.at(-2));
  });

  it("writes nothing for --tokens 0", async () => {
    expect((await succeedHere(folder, "sample", "--model", "run", "--tokens", 0)).stdout).toBe("\n");
  });

  it("streams, and ends silently when the reader closes the pipe", async () => {
    const program = start(folder, "sample", "--model", "run", "--prompt", prompt, "--tokens", 1_000_000);
    await program.shows(new RegExp(`^${prompt}.{9}`, "s"), "stdout");
    program.process.stdout?.destroy();
    expect(await program.outcome).toMatchObject({
      code: 0,
      signal: null,
      stderr: "model run: its best step, 11\n",
    });
  });
});

describe("nopeek bench", () => {
  it("prints its measurements and their conditions", async () => {
    const flags = ["--rounds", 2, "--layers", 1, "--heads", 3, "--d-model", 6, "--context-length", 5];
    const bench = await json("bench", "--preset", "tiny", ...flags, "--batch-size", 7, "--no-bias");
    expect(bench).toMatchObject({ backend: expect.stringMatching(/^(wasm|native)$/), rounds: 2 });
    expect(bench.settings).toMatchObject({
      heads: 3,
      dModel: 6,
      contextLength: 5,
      batchSize: 7,
      bias: false,
    });
    const msPerStep = Number(bench.msPerStep);
    expect(msPerStep).toBeGreaterThan(0);
    expect(Number(bench.msPerToken)).toBeGreaterThan(0);
    expect(bench.tokensPerSecond).toBeCloseTo((1000 * 5 * 7) / msPerStep, 6);
  });
});

function numbersOf(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}

function rowsOf(value: unknown): number[][] {
  return Array.isArray(value) ? value.map(numbersOf) : [];
}
