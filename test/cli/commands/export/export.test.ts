/** Exporting a run by the program: what it writes, what it refuses, and what is left after a failure. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { trainingCommand } from "../../../../src/cli/commands/export/training-command.ts";
import { writeNewFolder } from "../../../../src/cli/commands/export/write-folder.ts";
import { resolveSettings } from "../../../../src/config/settings.ts";
import { MemoryFiles } from "../../../../src/run/memory-files.ts";
import { nodeFiles } from "../../../../src/run/node-files.ts";
import { readSavedModel } from "../../../../src/run/saved-model.ts";
import { CharTokenizer } from "../../../../src/text/char-tokenizer.ts";
import { readGGUF } from "../../../support/gguf-reader.ts";
import { nopeekHere, succeedHere, succeedInJsonHere } from "../../../support/in-process.ts";
import { expectComplaint, makeFolderWithText, TRAIN } from "../../../support/program.ts";

const loadTokenizer = (path: string) => readSavedModel(path, undefined, nodeFiles).config.tokenizer;

const { folder, at } = makeFolderWithText(3000);
await succeedHere(folder, ...TRAIN, "--out", "run", "--steps", 4);
await succeedHere(folder, ...TRAIN, "--out", "odd", "--steps", 1, "--bigram", "--logit-cap", 5);

describe("nopeek export", () => {
  it("writes a folder for transformers, with a card, and names it", async () => {
    const { stdout, stderr } = await succeedHere(
      folder,
      "export",
      "run",
      "--format",
      "hf",
      "--out",
      "sub/hf",
    );
    expect(stdout).toBe("wrote sub/hf: a folder for Hugging Face's transformers, as GPT2\n");
    expect(stderr).toMatch(/parameters of step 4, 6 files, /);
    expect(readdirSync(at("sub"))).toEqual(["hf"]);
    expect(readdirSync(at("sub", "hf")).sort()).toEqual([
      "README.md",
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const card = readFileSync(at("sub", "hf", "README.md"), "utf8");
    expect(card).toContain("# `run`");
    expect(card).toContain("npx nopeek train --data text.txt --preset gpt2-style --layers 1");
    expect(card).toMatch(/validation loss is \d\.\d{4} nats per character/);
    expect(card).not.toContain(folder);
  });

  it("by default, into <run>-<format>; --json lists the files; --dtype halves the weights", async () => {
    const [whole] = await succeedInJsonHere(folder, "export", "run", "--format", "hf");
    expect(whole).toMatchObject({ format: "hf", architecture: "GPT2", dtype: "f32", folder: "run-hf" });
    const words = ["export", "run", "--format", "hf", "--out", "half", "--dtype", "bf16"];
    const [half] = await succeedInJsonHere(folder, ...words);
    const size = (name: string) => readFileSync(at(name, "model.safetensors")).length;
    expect(half).toMatchObject({ dtype: "bf16" });
    expect(size("half")).toBeLessThan(0.7 * size("run-hf"));
  });

  it("writes a GGUF file, and says which character ends a text if the model has no end token", async () => {
    const { stdout, stderr } = await succeedHere(folder, "export", "run", "--format", "gguf");
    expect(stdout).toBe("wrote run-gguf: a GGUF file for llama.cpp, as gpt2\n");
    expect(readdirSync(at("run-gguf")).sort()).toEqual(["README.md", "model.gguf"]);
    expect(readFileSync(at("run-gguf", "README.md"), "utf8")).toContain('params.model.path = "model.gguf"');
    const { metadata } = readGGUF(readFileSync(at("run-gguf", "model.gguf")));
    expect(metadata.get("general.name")).toBe("run");
    const end = Number(metadata.get("tokenizer.ggml.eos_token_id"));
    const tokenizer = loadTokenizer(at("run"));
    expect(stderr).toContain(
      `texts end at ${JSON.stringify(tokenizer.decode([end]))}, which it writes least often`,
    );
    // The model has hardly been trained, but it has seen which characters occur at all.
    const text = readFileSync(at("text.txt"), "utf8");
    const counts = Array.from(
      { length: tokenizer.vocabSize },
      (_, id) => text.split(tokenizer.decode([id])).length,
    );
    expect(counts[end]).toBeLessThan(Math.max(...counts) / 4);
  });

  it("ends texts in GGUF at the end token of the model, without a warning", async () => {
    await succeedHere(folder, ...TRAIN, "--out", "ends", "--steps", 1, "--documents", "lines");
    const { stderr } = await succeedHere(folder, "export", "ends", "--format", "gguf", "--dtype", "f16");
    expect(stderr).not.toContain("warning");
    const { metadata } = readGGUF(readFileSync(at("ends-gguf", "model.gguf")));
    expect(metadata.get("tokenizer.ggml.eos_token_id")).toBe(loadTokenizer(at("ends")).endOfText);
    expect(metadata.get("general.file_type")).toBe(1);
  });

  it("lists what a model can become, and why not", async () => {
    const { stdout, stderr } = await succeedHere(folder, "export", "run");
    expect(stdout).toContain("hf    a folder for Hugging Face's transformers: as GPT2\n");
    expect(stderr).toContain("npx nopeek export run --format hf");
    const odd = await nopeekHere(folder, "export", "odd", "--json");
    const { formats } = JSON.parse(odd.stdout);
    expect(formats[0]).toMatchObject({ name: "hf", architecture: null });
    expect(formats[0].obstacle).toContain("needs --no-bigram, not true; --logit-cap 0");
  });

  it("refuses a model without a class by its flags, with the preset and ONNX", async () => {
    const outcome = await nopeekHere(folder, "export", "odd", "--format", "hf", "--out", "never");
    expectComplaint(outcome, 2, "GPT2, needs --no-bigram", "--preset gpt2-style", "ONNX");
    expect(readdirSync(folder)).not.toContain("never");
  });

  it("replaces nothing: neither a folder, nor a file, nor a link", async () => {
    mkdirSync(at("empty"));
    writeFileSync(at("file"), "mine");
    symlinkSync("nowhere", at("link"));
    for (const name of ["empty", "file", "link", ".", "run"]) {
      const outcome = await nopeekHere(folder, "export", "run", "--format", "hf", "--out", name);
      expectComplaint(outcome, 1, `${name}: exists already`, "--out");
    }
    expect(readFileSync(at("file"), "utf8")).toBe("mine");
    expectComplaint(await nopeekHere(folder, "export", "run", "--out", "x"), 2, "--out needs --format");
  });

  it("writes an encoder–decoder for transformers, and says what is in the way of others", async () => {
    const words = ["--preset", "sort", "--layers", 1, "--d-model", 8, "--heads", 2, "--steps", 1];
    await succeedHere(folder, "train", "--out", "sorts", ...words);
    const { stdout } = await succeedHere(folder, "export", "sorts", "--format", "hf");
    expect(stdout).toBe("wrote sorts-hf: a folder for Hugging Face's transformers, as Blenderbot\n");
    const card = readFileSync(at("sorts-hf", "README.md"), "utf8");
    expect(card).toContain("AutoModelForSeq2SeqLM.from_pretrained(folder)");
    expect(card).toContain("npx nopeek train --preset sort --layers 1");
    const { parameters } = (
      await succeedInJsonHere(folder, "export", "sorts", "--format", "hf", "--out", "again")
    )[0];
    const stored = readSavedModel(at("sorts"), undefined, nodeFiles).files.tensors.values();
    expect(parameters).toBe([...stored].reduce((sum, { values }) => sum + values.length, 0));
    const list = await succeedHere(folder, "export", "sorts");
    expect(list.stdout).toContain("transformers: as Blenderbot\n");
    expect(list.stdout).toContain("onnx needs a model of kind gpt: got seq2seq, which hf can hold\n");
    expectComplaint(await nopeekHere(folder, "export", "sorts", "--format", "gguf"), 2, "gguf needs", "gpt");
    await succeedHere(folder, "train", "--out", "loose", ...words, "--no-tie-head", "--positions", "rotary");
    const refused = await nopeekHere(folder, "export", "loose", "--format", "hf");
    expectComplaint(refused, 2, "Blenderbot, needs", "--tie-head, not false", "--positions learned or none");
  });

  it("refuses an encoder", async () => {
    const words = ["--preset", "blanks", "--layers", 1, "--d-model", 8, "--heads", 2, "--steps", 1];
    await succeedHere(folder, "train", "--data", "text.txt", "--out", "blanks", ...words);
    const outcome = await nopeekHere(folder, "export", "blanks", "--format", "hf");
    expectComplaint(outcome, 2, "needs a model of kind gpt: got encoder");
  });
});

describe("the folder appears whole or not at all", () => {
  const contents = [1, 2].map((value) => ({ name: `${value}.bin`, bytes: Uint8Array.of(value) }));

  it("whole", () => {
    const files = new MemoryFiles();
    writeNewFolder("/a/b", contents, files);
    expect(files.list("/a")).toEqual(["b"]);
    expect(files.list("/a/b")).toEqual(["1.bin", "2.bin"]);
  });

  it("not at all, if the disk is full at the second file", () => {
    const files = new MemoryFiles();
    const write = files.write.bind(files);
    files.write = (file, bytes) => {
      if (file.endsWith("2.bin")) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      write(file, bytes);
    };
    expect(() => writeNewFolder("/a/b", contents, files)).toThrow("cannot write");
    expect(files.list("/a")).toEqual([]);
  });
});

describe("the command of a card", () => {
  const config = { tokenizer: new CharTokenizer("a"), corpus: null };

  it("is the nearest preset with what differs, and names files without their folders", () => {
    const settings = resolveSettings({ layers: 3, bias: false, normWeights: false });
    const corpus = { path: "/home/ada/my text.txt", sha256: "", characters: 1 };
    const command = trainingCommand({ ...config, settings, corpus, from: "/home/ada/base" });
    expect(command).toContain("npx nopeek train --data 'my text.txt' --from base --preset ");
    expect(command).toContain("--no-norm-weights");
    expect(command).not.toContain("ada");
  });
});
