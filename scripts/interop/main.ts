/**
 * Exports models, opens the files in other programs, and compares numbers, tokens and text.
 *
 *   npm run interop [-- WORD…]     after npm run build; a word is the name of a case, or part of the name of a check
 *
 * README.md says how to install the clients, and how a check is written.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { CASES, type Case, type Format } from "./cases.ts";
import { faultOf, LIMITS, missingClaims } from "./claims.ts";
import { type Client, describeClients, NODE, PYTHON, PYTHON_4 } from "./clients.ts";
import { runCheck } from "./run-check.ts";
import { writeTokenizerCases } from "./tokenizer-cases.ts";
import { writeCase } from "./write-case.ts";
import { writeGradientCase } from "./write-gradient-case.ts";

interface Check {
  readonly name: string;
  readonly client: Client;
  readonly script: readonly string[];
  /** What it reads of a case, or what it reads instead. */
  readonly format: Format | "tokenizers" | "foreign models" | "two ranks";
  readonly claims: readonly string[];
}

const GRAPH = ["whole", "cached", "padded", "greedy"];
const CHECKS: readonly Check[] = [
  hf("transformers 5", PYTHON),
  hf("transformers 4", PYTHON_4),
  seq2seq("encoder-decoders in transformers 5", PYTHON),
  seq2seq("encoder-decoders in transformers 4", PYTHON_4),
  tokenizers("tokenizers of transformers 5", PYTHON),
  tokenizers("tokenizers of transformers 4", PYTHON_4),
  {
    name: "import from transformers 5",
    client: PYTHON,
    script: ["check_import.py"],
    format: "foreign models",
    claims: ["logits", "greedy"],
  },
  {
    name: "DistributedDataParallel of PyTorch",
    client: PYTHON,
    script: ["check_ddp.py"],
    format: "two ranks",
    claims: ["gradient", "gradient of a tensor"],
  },
  { name: "onnxruntime in Python", client: PYTHON, script: ["check_onnx.py"], format: "onnx", claims: GRAPH },
  {
    name: "onnxruntime in Node",
    client: NODE,
    script: ["check-onnx.mjs", "node"],
    format: "onnx",
    claims: GRAPH,
  },
  { name: "onnxruntime-web", client: NODE, script: ["check-onnx.mjs", "web"], format: "onnx", claims: GRAPH },
  {
    name: "transformers.js",
    client: NODE,
    script: ["check-pipeline.mjs"],
    format: "onnx",
    claims: ["pipeline", "tokenizer"],
  },
  {
    name: "llama.cpp",
    client: PYTHON,
    script: ["check_gguf.py"],
    format: "gguf",
    claims: [
      "probability",
      "rounding of llama.cpp",
      "rounding of nopeek",
      "log probability",
      "greedy",
      "half cache",
      "half cache gap",
      "end tokens",
      "tokenizer",
    ],
  },
];

function hf(name: string, client: Client): Check {
  const claims = ["logits", "greedy", "beam", "tokenizer"];
  return { name, client, script: ["check_hf.py"], format: "hf", claims };
}

function seq2seq(name: string, client: Client): Check {
  const claims = ["logits", "greedy", "tokenizer"];
  return { name, client, script: ["check_seq2seq.py"], format: "seq2seq", claims };
}

function tokenizers(name: string, client: Client): Check {
  return { name, client, script: ["check_tokenizers.py"], format: "tokenizers", claims: ["tokenizer"] };
}

/** The folders of the tokenizers without a model, and of the models that check_import.py makes. */
const TOKENIZERS = "tokenizers";
const FOREIGN = "foreign";
/** The step that two processes share. */
const SHARED_STEP = "shared-step";
/** The names of those models, in ../golden/imported_models.py. */
const FOREIGN_MODELS = ["gpt2", "gpt2-exact", "gpt-neo", "gpt-neox", "llama", "qwen2", "qwen3", "mistral"];

const words = process.argv.slice(2);
const chosenCases = CASES.filter(({ name }) => words.includes(name));
const chosenChecks = CHECKS.filter(({ name }) =>
  words.some((word) => name.includes(word) && !CASES.some((model) => model.name === word)),
);
const print = (line: string) => process.stdout.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), "nopeek-interop-"));
try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** Whether every claim holds. */
async function main(): Promise<boolean> {
  const checks = (chosenChecks.length > 0 ? chosenChecks : CHECKS).filter(({ name, client: { missing } }) => {
    if (missing !== null) print(`skipped: ${name}: ${missing}`);
    return missing === null;
  });
  if (checks.length === 0) return true;
  print(describeClients());
  const read = new Set(checks.map(({ format }) => format));
  const needed = (chosenCases.length > 0 ? chosenCases : CASES).map((model) => ({
    ...model,
    formats: model.formats.filter((format) => read.has(format)),
  }));
  const cases = needed.filter(({ formats }) => formats.length > 0);
  if (cases.length > 0) await writeCases(cases);
  const tokenizers = read.has("tokenizers") ? writeTokenizerCases(join(folder, TOKENIZERS)) : [];
  mkdirSync(join(folder, FOREIGN));
  mkdirSync(join(folder, SHARED_STEP));
  if (read.has("two ranks")) await writeGradientCase(SHARED_STEP, join(folder, SHARED_STEP));
  let faults = 0;
  for (const check of checks) {
    const subjects = subjectsOf(check, cases, tokenizers);
    if (subjects.length > 0) faults += await report(check, subjects);
  }
  print(faults === 0 ? "every claim holds" : `${faults} claims do not hold`);
  return faults === 0;
}

/** One case for each core, because a case trains on one thread. */
async function writeCases(cases: readonly Case[]): Promise<void> {
  const startMs = performance.now();
  // The longest first.
  const waiting = [...cases].sort(
    (a, b) => Number(b.flags?.includes("--steps")) - Number(a.flags?.includes("--steps")),
  );
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      mkdirSync(join(folder, next.name));
      await writeCase(next, join(folder, next.name));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  print(`${cases.length} models trained and exported in ${seconds(startMs)} s`);
}

/** What a check opens. */
interface Subject {
  readonly name: string;
  readonly path: string;
  readonly limits?: Case["limits"];
}

/** What a check opens, of what was written. */
function subjectsOf(
  { format }: Check,
  cases: readonly Case[],
  tokenizers: readonly string[],
): readonly Subject[] {
  const inFolder = (names: readonly string[], parent: string) =>
    names.map((name) => ({ name, path: join(parent, name) }));
  if (format === "tokenizers") return inFolder(tokenizers, join(folder, TOKENIZERS));
  if (format === "foreign models") return inFolder(FOREIGN_MODELS, join(folder, FOREIGN));
  if (format === "two ranks") return inFolder([SHARED_STEP], folder);
  return cases
    .filter(({ formats }) => formats.includes(format))
    .map(({ name, limits }) => ({ name, limits, path: join(folder, name) }));
}

/** Runs a check and prints its lines. Returns the number of claims that do not hold. */
async function report(
  { name, client, script, claims }: Check,
  subjects: readonly Subject[],
): Promise<number> {
  const startMs = performance.now();
  const made = await runCheck(
    client,
    script,
    subjects.map(({ path }) => path),
  );
  print(`\n${name}: ${subjects.length} in ${seconds(startMs)} s`);
  let faults = 0;
  for (const line of made) {
    const limits = { ...LIMITS, ...subjects.find((subject) => subject.name === line.case)?.limits };
    const fault = faultOf(line, limits);
    if (fault !== null) faults++;
    const measured = Number.isInteger(line.measured) ? String(line.measured) : line.measured.toExponential(1);
    const verdict = fault === null ? "" : `  ← ${fault}`;
    print(
      `  ${line.case.padEnd(13)} ${line.claim.padEnd(21)} ${measured.padStart(8)} ≤ ${limits[line.claim]}${verdict}`,
    );
  }
  const absent = missingClaims(
    made,
    subjects.map((subject) => subject.name),
    claims,
  );
  for (const claim of absent) print(`  ${claim}: not checked`);
  return faults + absent.length;
}

function seconds(startMs: number): string {
  return ((performance.now() - startMs) / 1000).toFixed(0);
}
