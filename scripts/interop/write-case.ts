/** Writes the folder of a case: a run, what nopeek computes with it, and its exports. README.md has the layout. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Context } from "../../src/autograd/context.ts";
import type { Backend } from "../../src/backend/backend.ts";
import { openBackend, openDoubleBackend } from "../../src/backend/open.ts";
import type { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { loadGPT, SHIPPED_MODEL_PATH } from "../../src/run/on-disk.ts";
import { beamSearch } from "../../src/sample/beam-search.ts";
import { generate } from "../../src/sample/generate.ts";
import { PLAIN_SAMPLING } from "../../src/sample/generate-text.ts";
import { batchLogits } from "../../src/sample/logits.ts";
import { END_OF_TEXT, encodeDocument, type Tokenizer } from "../../src/text/tokenizer.ts";
import { type Case, HALF_GELU, SHARED } from "./cases.ts";
import { HalfGeluBackend } from "./half-gelu.ts";
import { randomTexts } from "./random-texts.ts";
import { respell } from "./respell.ts";
import { disturb, nopeek } from "./train-run.ts";
import { writeSeq2SeqCase } from "./write-seq2seq-case.ts";

const TALES = fileURLToPath(new URL("../../data/tales.txt", import.meta.url));
const PROMPT = "One misty Sunday in ";
const GREEDY_TOKENS = 200;
/** Long searches first. */
const SEARCHES = [20, 10, 5].flatMap((tokens) =>
  [PROMPT, "By the oak ", "The baker ", "He danced "].flatMap((prompt) =>
    [4, 8, 16].map((beams) => ({ prompt, beams, tokens })),
  ),
);
const ROWS = 3;
const POSITIONS = 96;

/** What `case.json` holds. */
export interface CaseFile {
  readonly name: string;
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly endToken: number | null;
  readonly rows: readonly (readonly number[])[];
  readonly greedy: { prompt: string; promptIds: readonly number[]; ids: readonly number[]; text: string };
  readonly beam: { promptIds: readonly number[]; beams: number; tokens: number; ids: readonly number[] };
  readonly texts: readonly { text: string; ids: readonly number[] }[];
}

/** Trains the model of a case and writes its folder. */
export async function writeCase(model: Case, folder: string): Promise<void> {
  if (model.formats.includes("seq2seq")) return writeSeq2SeqCase(model, folder);
  const path = join(folder, "run");
  if (model.flags === null) cpSync(SHIPPED_MODEL_PATH, path, { recursive: true });
  else {
    const texts = model.respelled === true ? ["--data", TALES, writeRespelled(folder)] : [];
    await nopeek("train", ...`${SHARED} ${model.flags}`.split(" "), ...texts, "--out", path);
    disturb(path);
  }
  const { json, logits } = await compute(model.name, path);
  writeFileSync(join(folder, "case.json"), JSON.stringify(json));
  writeFileSync(join(folder, "logits.f32"), logits);
  writeFileSync(join(folder, "logits.f64"), await logitsOn(await openDoubleBackend(), path, json.rows));
  if (model.limits === HALF_GELU) {
    writeFileSync(join(folder, "half-gelu.f64"), await logitsOn(new HalfGeluBackend(), path, json.rows));
  }
  for (const format of model.formats) {
    await nopeek("export", path, "--format", format, "--out", join(folder, format));
  }
}

function writeRespelled(folder: string): string {
  const path = join(folder, "respelled.txt");
  writeFileSync(path, respell(readFileSync(TALES, "utf8")));
  return path;
}

/** What nopeek computes with a run. */
async function compute(name: string, path: string): Promise<{ json: CaseFile; logits: Uint8Array }> {
  const backend = await openBackend("wasm");
  try {
    const { model, tokenizer } = loadGPT(new Context(backend), path);
    const { contextLength, vocabSize } = model.config;
    const random = Random.of(7, "interop", name);
    const rows = Array.from({ length: ROWS }, () =>
      Array.from({ length: POSITIONS }, () => random.below(vocabSize)),
    );
    const logits = await batchLogits(model, { ids: rows.flat(), batchSize: ROWS });
    const json: CaseFile = {
      name,
      contextLength,
      vocabSize,
      endToken: tokenizer.endOfText,
      rows,
      greedy: await greedy(model, tokenizer),
      beam: await beam(model, tokenizer),
      texts: randomTexts(tokenizer, random),
    };
    return { json, logits: new Uint8Array(Float32Array.from(logits).buffer) };
  } finally {
    await backend.close();
  }
}

/** The logits that a backend computes, in double precision. */
async function logitsOn(backend: Backend, path: string, rows: CaseFile["rows"]): Promise<Uint8Array> {
  try {
    const { model } = loadGPT(new Context(backend), path);
    const logits = await batchLogits(model, { ids: rows.flat(), batchSize: rows.length });
    return new Uint8Array(Float64Array.from(logits).buffer);
  } finally {
    await backend.close();
  }
}

async function greedy(model: GPT, tokenizer: Tokenizer): Promise<CaseFile["greedy"]> {
  const promptIds = Array.from(encodeDocument(tokenizer, PROMPT));
  const ids: number[] = [];
  const choices = generate(model, promptIds, {
    tokens: GREEDY_TOKENS,
    settings: { ...PLAIN_SAMPLING, strategy: "greedy" },
    random: Random.of(1),
    overflow: "stop",
    stop: (token) => token === tokenizer.endOfText,
  });
  for await (const { token } of choices) ids.push(token);
  const prompt = tokenizer.endOfText === null ? PROMPT : END_OF_TEXT + PROMPT;
  const text = tokenizer.decode(ids.filter((id) => id !== tokenizer.endOfText));
  return { prompt, promptIds, ids, text };
}

/**
 * The best text of a search. nopeek also follows greedy's path outside the beam, which transformers does not; so this
 * takes the first of some searches in which that path needs no extra place, and both programs search the same paths.
 */
async function beam(model: GPT, tokenizer: Tokenizer): Promise<CaseFile["beam"]> {
  for (const { prompt, beams, tokens } of SEARCHES) {
    const promptIds = Array.from(encodeDocument(tokenizer, prompt));
    const search = beamSearch(model, promptIds, {
      tokens,
      settings: { beams, best: 1, lengthPenalty: 0 },
      overflow: "stop",
      ends: (ids) => ids.at(-1) === tokenizer.endOfText,
    });
    let widest = 0;
    let next = await search.next();
    for (; !next.done; next = await search.next()) widest = Math.max(widest, next.value.followed.length);
    if (widest <= beams) return { promptIds, beams, tokens, ids: next.value[0].tokens };
  }
  throw new Error("greedy's path leaves the beam in every search");
}
