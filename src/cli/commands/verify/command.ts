/** `nopeek verify`: runs the checks in src/verify on a saved model and prints a short report. */
import { relative } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ConfigError } from "../../../errors.ts";
import { formatCount, plural, wrap } from "../../../util/format.ts";
import type { Break } from "../../../verify/broken-gpt.ts";
import type { CheckResult } from "../../../verify/check.ts";
import { type CommonFlags, threadsOf } from "../../options/settings-flags.ts";
import type { ModelFlags } from "../../shared/find-model.ts";
import { buildOn, readModel } from "../../shared/open-model.ts";
import { Terminal } from "../../terminal/output.ts";
import { prepareChecks, type Verification } from "./checks-for-kind.ts";

interface VerifyFlags extends CommonFlags, ModelFlags {
  readonly texts: number;
  readonly positions?: number;
  readonly seed: number;
  readonly break?: Break;
}

export async function verifyModel(word: string | undefined, flags: VerifyFlags): Promise<void> {
  const terminal = new Terminal();
  const saved = readModel(flags, word, terminal);
  const { path } = saved;
  const opened = await buildOn(saved, flags, threadsOf(flags));
  const { model, backend } = opened;
  if (!backend.exact) {
    throw new ConfigError(
      `verify compares logits bit for bit, but on ${backend.name} a row's logits depend on the other rows in its batch: use --backend wasm without --fast, or reference`,
    );
  }
  const positions = checkFlags(flags, model.config.contextLength);
  const how = flags.break ?? null;
  const done: CheckResult[] = [];
  const verification = await prepareChecks(opened, {
    how,
    count: flags.texts,
    positions,
    seed: flags.seed,
    onProgress: (share) =>
      terminal.status(
        `check ${done.length + 1} of ${verification.checks.length}: ${Math.floor(100 * share)}%`,
      ),
  });

  terminal.note(
    `checking ${relative(".", path)} on the ${backend.name} backend: ${plural(flags.texts, "text")} of ${plural(positions, "token")}`,
  );
  if (how !== null && !flags.json) terminal.write(`${introduction(how, verification)}\n\n`);
  for (const check of verification.checks) {
    const result = await check();
    done.push(result);
    terminal.clearStatus();
    if (!flags.json) terminal.line(lineOf(result));
    await nextTurn();
  }
  const ok = done.every((check) => check.ok);
  if (flags.json)
    terminal.json({ ok, broken: how, model: path, backend: backend.name, seed: flags.seed, checks: done });
  else terminal.write(conclusion(done, verification));
  if (!ok) process.exitCode = 1;
  await backend.close();
}

/** Checks the flags and returns the length of the texts in tokens. */
function checkFlags({ texts, positions, seed }: VerifyFlags, contextLength: number): number {
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

const NAME_WIDTH = 30;
const COMPARED_WIDTH = 42;
const WIDTH = 80;

function lineOf({ name, ok, skipped, compared }: CheckResult): string {
  if (skipped !== null) return `${name.padEnd(NAME_WIDTH)}–  ${skipped}`;
  return `${name.padEnd(NAME_WIDTH)}${compared.padEnd(COMPARED_WIDTH)}${ok ? "ok" : "FAILED"}`;
}

function introduction(how: Break, { broken }: Verification): string {
  return paragraph(`Checking an in-memory copy with an injected fault (${how}): ${broken}.`);
}

function conclusion(checks: readonly CheckResult[], verification: Verification): string {
  const failed = checks.filter(({ ok }) => !ok);
  const performed = checks.filter(({ skipped }) => skipped === null).length;
  const examples = failed.map(({ name, failures, comparisons, counterExamples }) => {
    const title = `${name}: ${formatCount(failures)} of ${plural(comparisons, "comparison")} failed; the first:`;
    return ["", title, ...wrap(counterExamples[0].split(" "), WIDTH - 2).map((line) => `  ${line}`), ""].join(
      "\n",
    );
  });
  return `${examples.join("")}\n${paragraph(verdict(failed.length, performed, verification))}\n`;
}

function verdict(failed: number, performed: number, { broken, proved }: Verification): string {
  if (broken === null) {
    return failed === 0
      ? `${plural(performed, "check")} passed: ${proved}.`
      : `${failed} of ${plural(performed, "check")} FAILED.`;
  }
  const caught = failed === 0 ? "No check" : `${failed} of ${plural(performed, "check")}`;
  return `${caught} caught the injected fault. The model's files did not change.`;
}

function paragraph(text: string): string {
  return wrap(text.split(" "), WIDTH).join("\n");
}
