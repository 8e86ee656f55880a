/** `nopeek lesson leakage`: trains a model that can see the token it has to predict, and shows what it learns. */
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { entropyFloor, readCorpus, TALES_PATH } from "../../../data/corpus.ts";
import { splitCorpus } from "../../../data/split.ts";
import { ConfigError, DataError } from "../../../errors.ts";
import { type LeakageLesson, type Outcome, teachLeakage } from "../../../lesson/leakage.ts";
import { LEAKAGE_PROMPT, LEAKAGE_SAMPLE_TOKENS } from "../../../lesson/leakage-settings.ts";
import { log } from "../../../math.ts";
import { CharTokenizer } from "../../../text/char-tokenizer.ts";
import { formatLoss, plural, wrap } from "../../../util/format.ts";
import { type CommonFlags, threadsOf } from "../../options/settings-flags.ts";
import { openBackend } from "../../shared/open-backend.ts";
import { drawChart, type Point } from "../../terminal/chart.ts";
import { Terminal } from "../../terminal/output.ts";

interface LeakageFlags extends CommonFlags {
  readonly steps: number;
  readonly seed: number;
}

const WIDTH = 80;
const GAP = 4;

export async function lessonLeakage(flags: LeakageFlags): Promise<void> {
  const terminal = new Terminal();
  const { steps, seed } = flags;
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new ConfigError(`--steps must be a whole number of at least 1: got ${steps}`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ConfigError(`--seed must be a whole number of at least 0: got ${seed}`);
  }
  const corpus = await readCorpus(TALES_PATH);
  const floorNats = await entropyFloor(corpus.sha256);
  if (floorNats === null)
    throw new DataError(`${TALES_PATH}: is not the original text, so its entropy is unknown`);
  const text = readFileSync(TALES_PATH, "utf8");
  const tokenizer = CharTokenizer.fromText(text);
  const ids = tokenizer.encode(text);
  const split = splitCorpus(ids);
  const backend = await openBackend(flags, threadsOf(flags));
  const lesson = await teachLeakage({
    backend,
    tokenizer,
    ids,
    split,
    steps,
    seed,
    prompt: LEAKAGE_PROMPT,
    sampleTokens: LEAKAGE_SAMPLE_TOKENS,
    onStep: async (which, step, lossNats) => {
      const line = `${which}: step ${step}/${steps}  loss ${formatLoss(lossNats)}`;
      terminal.status(line);
      if (!terminal.live && step % Math.ceil(steps / 4) === 0) terminal.note(line);
      await nextTurn();
    },
  });
  terminal.clearStatus();
  if (flags.json) terminal.json({ lesson: "leakage", floorNats, prompt: LEAKAGE_PROMPT, ...lesson });
  else terminal.write(`${page(lesson, floorNats, tokenizer.vocabSize).join("\n")}\n`);
  await backend.close();
}

function page(
  { settings, withMask, withoutMask }: LeakageLesson,
  floorNats: number,
  vocabSize: number,
): string[] {
  const { layers, dModel, contextLength } = settings;
  return [
    ...paragraph(
      `The same model (${plural(layers, "layer")}, ${dModel} channels, context ${contextLength}) is trained on the tales twice, with the same initial weights and the same windows: once with the mask (●) and once without it (○).`,
    ),
    "",
    "   nats per token",
    ...drawChart(
      [
        { name: "with the mask", mark: "●", drawnAs: "marks", points: numbered(withMask.curve) },
        { name: "without the mask", mark: "○", drawnAs: "marks", points: numbered(withoutMask.curve) },
      ],
      {
        width: WIDTH,
        height: 19,
        color: false,
        references: [{ name: "entropy floor of the tales", value: floorNats }],
        xName: "step",
        yReaches: [0],
      },
    ),
    "",
    ...table(withMask, withoutMask),
    "",
    `Both models continue ${JSON.stringify(LEAKAGE_PROMPT)}:`,
    "",
    ...sideBySide(`● with the mask\n\n${withMask.sample}`, `○ without the mask\n\n${withoutMask.sample}`),
    "",
    ...paragraph(why(withoutMask, floorNats, vocabSize)),
  ];
}

/** Losses as points, numbered by step from 1. */
function numbered(curve: readonly number[]): Point[] {
  return curve.map((loss, i) => [i + 1, loss]);
}

function table(withMask: Outcome, withoutMask: Outcome): string[] {
  const row = (name: string, left: string, right: string) =>
    `${name.padEnd(46)}${left.padStart(16)}${right.padStart(16)}`;
  return [
    row("validation loss in nats per token", "● with mask", "○ without mask"),
    row("  evaluated as trained", formatLoss(withMask.lossNats), formatLoss(withoutMask.lossNats)),
    row("  evaluated with the mask", formatLoss(withMask.leftOnlyNats), formatLoss(withoutMask.leftOnlyNats)),
  ];
}

function why({ lossNats, leftOnlyNats }: Outcome, floorNats: number, vocabSize: number): string {
  const uniform = log(vocabSize);
  const belowFloor =
    lossNats < floorNats
      ? `its loss falls to ${formatLoss(lossNats)}. No honest prediction can get below ${formatLoss(floorNats)}, because the tales are generated at random.`
      : `its loss falls, and with more steps it falls below the floor.`;
  const leftOnly = formatLoss(leftOnlyNats);
  const compared =
    leftOnlyNats > uniform
      ? `${leftOnly}, worse than a uniform guess among ${vocabSize} characters (${formatLoss(uniform)}).`
      : `${leftOnly}.`;
  return `Why: during training, the token that a position has to predict is in the same window, one position to the right. Without the mask, attention learns to copy it from there: ${belowFloor} The model has learned to read the answer, and nothing about the tales. When it generates text, there is no token to the right to copy, so its output is garbage: evaluated with the mask, its loss is ${compared} With the mask, the score of every later position is −∞ before the softmax and its weight is exactly 0 after it. The only way to lower the loss is to learn which token usually comes next, and that is what generating text needs.`;
}

function paragraph(text: string): string[] {
  return wrap(text.split(" "), WIDTH);
}

/** Prints two texts in two columns. */
function sideBySide(left: string, right: string): string[] {
  const width = (WIDTH - GAP) / 2;
  const [a, b] = [left, right].map((text) => text.split("\n").flatMap((line) => wrapHard(line, width)));
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
    `${(a[i] ?? "").padEnd(width + GAP)}${b[i] ?? ""}`.trimEnd(),
  );
}

/** Like `wrap`, but also splits words that are too long. Keeps empty lines. */
function wrapHard(line: string, width: number): string[] {
  const words = line.split(" ").flatMap((word) => word.match(new RegExp(`.{1,${width}}`, "gu")) ?? [""]);
  return wrap(words, width);
}
