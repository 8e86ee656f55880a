/** `nopeek verify`: the checks of src/verify, run on a model from disk; a short report. */
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Context } from "../autograd/context.ts";
import { openDoubleBackend } from "../backend/open.ts";
import { CheckpointError, ConfigError } from "../errors.ts";
import { GPT } from "../nn/gpt.ts";
import type { Parameters } from "../nn/parameters.ts";
import { Random } from "../random.ts";
import { splitCorpus } from "../train/corpus.ts";
import type { CheckResult } from "../verify/check.ts";
import { copyWeights } from "../verify/copy.ts";
import type { KnownText } from "../verify/floor.ts";
import { BREAK_MEANINGS, type Break, brokenModel } from "../verify/sabotage.ts";
import { makeTexts } from "../verify/texts.ts";
import { CHECK_COUNT, verify } from "../verify/verify.ts";
import { entropyFloor, TALES_PATH } from "./corpus-file.ts";
import { type CommonFlags, threadsOf } from "./flags.ts";
import { formatCount, plural, wrap } from "./format.ts";
import { type OpenModel, openModel, SHIPPED_MODEL_PATH } from "./open-model.ts";
import { Terminal } from "./terminal.ts";

interface VerifyFlags extends CommonFlags {
  readonly model?: string;
  readonly texts: number;
  readonly positions?: number;
  readonly seed: number;
  readonly break?: Break;
}

export async function verifyModel(flags: VerifyFlags): Promise<void> {
  const terminal = new Terminal();
  const path = flags.model ?? SHIPPED_MODEL_PATH;
  const opened = await openModel(path, flags, threadsOf(flags));
  const { model: honest, tokenizer, backend } = opened;
  if (!backend.exact) {
    throw new ConfigError(
      `verify compares to the bit, and ${backend.name} gives other bits beside other rows: use --backend wasm or reference`,
    );
  }
  const positions = checkFlags(flags, honest);
  await checkFinite(honest.parameters(), path);
  const how = flags.break ?? null;
  const model = how === null ? honest : await copyOf(honest, how, new Context(backend));
  const twin = await copyOf(honest, how, new Context(await openDoubleBackend()));
  const texts = await makeTexts(honest, { count: flags.texts, positions, seed: flags.seed });

  terminal.note(
    `checking ${relative(".", path)} on ${backend.name}: ${plural(texts.length, "text")} of ${plural(positions, "token")}`,
  );
  if (how !== null && !flags.json) terminal.write(`${introduce(how)}\n\n`);
  const checks: CheckResult[] = [];
  const options = {
    texts,
    seed: flags.seed,
    show: (ids: readonly number[]) => tokenizer.decode(ids),
    onProgress: (share: number) =>
      terminal.status(`check ${checks.length + 1} of ${CHECK_COUNT}: ${Math.floor(100 * share)} %`),
  };
  for await (const check of verify({ model, twin, known: await knownTextOf(opened), options })) {
    checks.push(check);
    terminal.clearStatus();
    if (!flags.json) terminal.line(lineOf(check));
    await nextTurn();
  }
  const ok = checks.every((check) => check.ok);
  if (flags.json)
    terminal.json({ ok, broken: how, model: path, backend: backend.name, seed: flags.seed, checks });
  else terminal.write(conclusion(checks, how));
  if (!ok) process.exitCode = 1;
  await backend.close();
}

/** Gives how long the texts are. */
function checkFlags({ texts, positions, seed }: VerifyFlags, { config }: GPT): number {
  const { contextLength } = config;
  if (!Number.isSafeInteger(texts) || texts < 1) {
    throw new ConfigError(`--texts must be a whole number of at least 1: got ${texts}`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ConfigError(`--seed must be a whole number of at least 0: got ${seed}`);
  }
  if (positions === undefined) return contextLength;
  if (Number.isSafeInteger(positions) && positions >= 1 && positions <= contextLength) return positions;
  throw new ConfigError(
    `--positions must be a whole number from 1 to the model's context of ${contextLength}: got ${positions}`,
  );
}

/** Numbers that are none can be compared with nothing. */
async function checkFinite(parameters: Parameters, path: string): Promise<void> {
  for (const [name, tensor] of Object.entries(parameters)) {
    const wrong = (await tensor.read()).findIndex((value) => !Number.isFinite(value));
    if (wrong < 0) continue;
    throw new CheckpointError(
      `${path}: "${name}" holds a number that is not finite, at ${wrong}; nothing can be proved on it`,
    );
  }
}

/** The same weights on another context, in a model that may be broken. */
async function copyOf(model: GPT, how: Break | null, context: Context): Promise<GPT> {
  const copy =
    how === null ? new GPT(context, model.config, Random.of(0)) : brokenModel(how, context, model.config);
  await copyWeights(model.parameters(), copy.parameters());
  return copy;
}

/** The tales, where that is what the model learnt from. */
async function knownTextOf({ config, tokenizer }: OpenModel): Promise<KnownText | null> {
  const floorNats = config.corpus === null ? null : await entropyFloor(config.corpus.sha256);
  if (floorNats === null || tokenizer.kind !== "char" || !existsSync(TALES_PATH)) return null;
  const ids = tokenizer.encode(readFileSync(TALES_PATH, "utf8"));
  return { ids, range: { start: splitCorpus(ids).boundary, end: ids.length }, floorNats };
}

const NAME_WIDTH = 30;
const COMPARED_WIDTH = 42;
const WIDTH = 80;

function lineOf({ name, ok, skipped, compared }: CheckResult): string {
  if (skipped !== null) return `${name.padEnd(NAME_WIDTH)}–  ${skipped}`;
  return `${name.padEnd(NAME_WIDTH)}${compared.padEnd(COMPARED_WIDTH)}${ok ? "ok" : "FAILED"}`;
}

function introduce(how: Break): string {
  return paragraph(`This is a copy in memory, broken on purpose (${how}): ${BREAK_MEANINGS[how]}.`);
}

function conclusion(checks: readonly CheckResult[], how: Break | null): string {
  const failed = checks.filter(({ ok }) => !ok);
  const asked = checks.filter(({ skipped }) => skipped === null).length;
  const examples = failed.map(({ name, failures, comparisons, counterExamples }) => {
    const title = `${name}: ${formatCount(failures)} of ${formatCount(comparisons)} differ; the first:`;
    return ["", title, ...wrap(counterExamples[0].split(" "), WIDTH - 2).map((line) => `  ${line}`), ""].join(
      "\n",
    );
  });
  return `${examples.join("")}\n${paragraph(verdict(failed.length, asked, how))}\n`;
}

function verdict(failed: number, asked: number, how: Break | null): string {
  if (how === null) {
    return failed === 0
      ? `${plural(asked, "check")} passed: this model does not peek.`
      : `${failed} of ${plural(asked, "check")} FAILED.`;
  }
  const noticed = failed === 0 ? "no check noticed" : `${plural(failed, "check")} of ${asked} noticed`;
  return `It was broken on purpose, and ${noticed}. The files are as they were.`;
}

function paragraph(text: string): string {
  return wrap(text.split(" "), WIDTH).join("\n");
}
