/** `nopeek lesson leakage`: what a model learns that may look at what it is asked for. */
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { entropyFloor, readCorpus, TALES_PATH } from "../../../data/corpus.ts";
import { splitCorpus } from "../../../data/split.ts";
import { ConfigError, DataError } from "../../../errors.ts";
import { type LeakageLesson, type Outcome, teachLeakage } from "../../../lesson/leakage.ts";
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

const PROMPT = "One misty Sunday in Ashford, ";
const SAMPLE_TOKENS = 300;
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
  if (floorNats === null) throw new DataError(`${TALES_PATH}: is not the text whose entropy is known`);
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
    prompt: PROMPT,
    sampleTokens: SAMPLE_TOKENS,
    onStep: async (which, step, lossNats) => {
      const line = `${which}: step ${step}/${steps}  loss ${formatLoss(lossNats)}`;
      terminal.status(line);
      if (!terminal.live && step % Math.ceil(steps / 4) === 0) terminal.note(line);
      await nextTurn();
    },
  });
  terminal.clearStatus();
  if (flags.json) terminal.json({ lesson: "leakage", floorNats, prompt: PROMPT, ...lesson });
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
      `One model (${plural(layers, "layer")}, ${dModel} channels, context ${contextLength}) learns the tales twice, from the same first weights and the same windows: with the mask (●), and without it (○).`,
    ),
    "",
    "   nats a token",
    ...drawChart(
      [
        { name: "with the mask", mark: "●", drawnAs: "marks", points: numbered(withMask.curve) },
        { name: "without it", mark: "○", drawnAs: "marks", points: numbered(withoutMask.curve) },
      ],
      {
        width: WIDTH,
        height: 19,
        color: false,
        references: [{ name: "floor: what the tales leave open", value: floorNats }],
        xName: "step",
        yReaches: [0],
      },
    ),
    "",
    ...table(withMask, withoutMask),
    "",
    `Both go on from ${JSON.stringify(PROMPT)}:`,
    "",
    ...sideBySide(`● with the mask\n\n${withMask.sample}`, `○ without it\n\n${withoutMask.sample}`),
    "",
    ...paragraph(why(withoutMask, floorNats, vocabSize)),
  ];
}

/** Losses by their step. */
function numbered(curve: readonly number[]): Point[] {
  return curve.map((loss, i) => [i + 1, loss]);
}

function table(withMask: Outcome, withoutMask: Outcome): string[] {
  const row = (name: string, left: string, right: string) =>
    `${name.padEnd(46)}${left.padStart(16)}${right.padStart(16)}`;
  return [
    row("loss on tales that were held out, in nats", "● with the mask", "○ without it"),
    row("  as it was trained", formatLoss(withMask.lossNats), formatLoss(withoutMask.lossNats)),
    row(
      "  seeing only what stands to the left",
      formatLoss(withMask.leftOnlyNats),
      formatLoss(withoutMask.leftOnlyNats),
    ),
  ];
}

function why({ lossNats, leftOnlyNats }: Outcome, floorNats: number, vocabSize: number): string {
  const blind = log(vocabSize);
  const belowFloor =
    lossNats < floorNats
      ? `its loss falls to ${formatLoss(lossNats)}, where no honest prediction can go below ${formatLoss(floorNats)}, because the tales are drawn by dice that nobody can foresee.`
      : `its loss falls, and with more steps it falls below the floor.`;
  const leftOnly = formatLoss(leftOnlyNats);
  const compared =
    leftOnlyNats > blind
      ? `${leftOnly}, worse than guessing blindly among ${vocabSize} characters (${formatLoss(blind)}).`
      : `${leftOnly}.`;
  return `Why: in training, the token that a position is asked for stands in the same window, one place to the right. Without the mask, attention learns to look there and copy: ${belowFloor} It has learned to read the answer and nothing about the tales. When it writes, nothing stands to the right yet, and what is left is rubbish: seeing only the left, its loss is ${compared} With the mask, the score of every later position is −∞ before the softmax and its weight exactly 0 after it; the only way down is to learn what usually follows, and that can be written with.`;
}

function paragraph(text: string): string[] {
  return wrap(text.split(" "), WIDTH);
}

/** Two texts in columns. */
function sideBySide(left: string, right: string): string[] {
  const width = (WIDTH - GAP) / 2;
  const [a, b] = [left, right].map((text) => text.split("\n").flatMap((line) => wrapHard(line, width)));
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
    `${(a[i] ?? "").padEnd(width + GAP)}${b[i] ?? ""}`.trimEnd(),
  );
}

/** As `wrap`, with words that are too long cut. An empty line stays one. */
function wrapHard(line: string, width: number): string[] {
  const words = line.split(" ").flatMap((word) => word.match(new RegExp(`.{1,${width}}`, "gu")) ?? [""]);
  return wrap(words, width);
}
