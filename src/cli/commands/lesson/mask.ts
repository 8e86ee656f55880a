/** `nopeek lesson mask`: one attention head of a trained model, formula by formula. */
import { ConfigError } from "../../../errors.ts";
import { type MaskLesson, type Matrix, teachMask } from "../../../lesson/mask.ts";
import { exp } from "../../../math.ts";
import { showToken } from "../../../text/show-token.ts";
import { formatCount } from "../../../util/format.ts";
import type { CommonFlags } from "../../options/settings-flags.ts";
import { buildOn, onlyGPT, readModel } from "../../shared/open-model.ts";
import { Terminal } from "../../terminal/output.ts";

interface MaskFlags extends CommonFlags {
  readonly model?: string;
  readonly prompt: string;
  readonly layer: number;
  readonly head: number;
}

/** The most columns of numbers that fit in 80 characters. */
const MOST_TOKENS = 9;
const LABEL_WIDTH = 7;
const CELL_WIDTH = 8;
/** Number of output channels to show. */
const CHANNELS = 6;

export async function lessonMask(flags: MaskFlags): Promise<void> {
  const terminal = new Terminal();
  const { layer, head, prompt } = flags;
  const saved = readModel({ ...flags, model: flags.model ?? "tales" }, undefined, terminal);
  const opened = onlyGPT(await buildOn(saved, flags, flags.threads ?? 1), saved.path);
  const { model, tokenizer, backend } = opened;
  const ids = Array.from(tokenizer.encode(prompt));
  const most = Math.min(MOST_TOKENS, model.config.contextLength);
  if (ids.length < 1 || ids.length > most) {
    throw new ConfigError(
      `--prompt must be 1 to ${most} tokens long to fit in 80 columns: got ${ids.length}`,
    );
  }
  const lesson = await teachMask(model, ids, { layer, head });
  if (flags.json) {
    terminal.json({ lesson: "mask", prompt, tokens: ids, layer, head, ...lesson });
  } else {
    const names = ids.map((id) => showToken(tokenizer, id));
    terminal.write(`${page(lesson, names, layer, head).join("\n")}\n`);
  }
  await backend.close();
}

function page(lesson: MaskLesson, names: readonly string[], layer: number, head: number): string[] {
  const { headSize, scores, mask, masked, weights, weightsWithoutMask, output } = lesson;
  const shown = Math.min(CHANNELS, headSize);
  return [
    `Layer ${layer}, head ${head}, ${headSize} channels. Each row is a query: the position that attends.`,
    "Each column is a key: the position that it attends to.",
    "",
    `1. Scores  S = Q·Kᵀ/√${headSize}     how well each key matches each query`,
    ...grid(scores, names, 3),
    "",
    "2. Mask  M     0 where a query may attend; −∞ to its right, where it must not",
    ...grid(mask, names, 0),
    "",
    "3. Masked scores  S + M",
    ...grid(masked, names, 3),
    "",
    ...byHand(masked, names),
    "",
    "5. Weights  A = softmax(S + M), row by row",
    ...grid(weights, names, 3),
    `   Every row sums to 1, and every weight right of the diagonal is exactly 0.`,
    ...withoutMaskNote(weightsWithoutMask, names),
    "",
    `6. Output  Y = A·V     each row is a weighted sum of values; ${shown} of ${headSize} channels`,
    ...grid(
      output.map((row) => row.slice(0, shown)),
      names,
      3,
      Array.from({ length: shown }, (_, channel) => `${channel}`),
    ),
    "",
    checkLine(lesson),
  ];
}

/** The softmax of a row in the middle, step by step. */
function byHand(masked: Matrix, names: readonly string[]): string[] {
  const t = Math.min(names.length - 1, Math.floor(names.length / 2));
  const row = masked[t];
  const max = row.reduce((greatest, value) => Math.max(greatest, value), Number.NEGATIVE_INFINITY);
  const powers = row.map((score) => exp(score - max));
  const sum = powers.reduce((total, power) => total + power, 0);
  const line = (name: string, values: readonly number[]) =>
    `${name.padEnd(LABEL_WIDTH)}${values.map((value) => cell(value, 3)).join("")}`;
  return [
    `4. Softmax by hand for the row of ${names[t]} (position ${t})`,
    line("s", row),
    line(
      "s−max",
      row.map((score) => score - max),
    ),
    `${line("e^(…)", powers)}`,
    `   e^(s−max); the largest score is ${cell(max, 3).trim()}, e^−∞ is 0, and the sum is ${sum.toFixed(3)}`,
    line(
      "÷ sum",
      powers.map((power) => power / sum),
    ),
  ];
}

/** The weight that the first query would put on later tokens without the mask. */
function withoutMaskNote(weights: Matrix, names: readonly string[]): string[] {
  if (names.length < 2) return [];
  const later = weights[0].slice(1).reduce((sum, weight) => sum + weight, 0);
  return [`   Without M, ${names[0]} would put ${(100 * later).toFixed(1)}% of its weight on later tokens.`];
}

function checkLine({ output, fused }: MaskLesson): string {
  const [plain, kernel] = [output, fused].map((matrix) => matrix.flat());
  const worst = plain.reduce((most, value, i) => Math.max(most, Math.abs(value - kernel[i])), 0);
  const verdict = worst === 0 ? "bit for bit" : `within ${worst.toExponential(1)}`;
  return `Check: the fused kernel computes the same ${formatCount(plain.length)} numbers, ${verdict}.`;
}

function grid(
  matrix: Matrix,
  names: readonly string[],
  digits: number,
  heads: readonly string[] = names,
): string[] {
  const header = `${" ".repeat(LABEL_WIDTH)}${heads.map((name) => name.padStart(CELL_WIDTH)).join("")}`;
  return [
    header,
    ...matrix.map(
      (row, t) =>
        `${names[t].padStart(5).padEnd(LABEL_WIDTH)}${row.map((value) => cell(value, digits)).join("")}`,
    ),
  ];
}

/** Formats a number for its column, with −∞ and a real minus sign. */
function cell(value: number, digits: number): string {
  const text =
    value === Number.NEGATIVE_INFINITY ? "−∞" : value.toFixed(value === 0 ? 0 : digits).replace("-", "−");
  return text.padStart(CELL_WIDTH);
}
