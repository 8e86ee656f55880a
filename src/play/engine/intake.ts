/** What a person drops or chooses: a text, a run in a folder or a zip file, or a run with its text. */
import { computedBy } from "../../backend/names.ts";
import type { Settings } from "../../config/settings.ts";
import { DataError } from "../../errors.ts";
import { savedStateOf } from "../../train/saved-state.ts";
import { plural } from "../../util/format.ts";
import { lastPart } from "../../util/paths.ts";
import { printableLine } from "../../util/printable.ts";
import type { GivenFile } from "../protocol.ts";
import type { Engine } from "./engine.ts";
import { besideRun, type GivenRun, holdsRun, readGivenRun } from "./given-run.ts";
import { type PlayText, readOwnText } from "./text.ts";
import { isZip, unzip } from "./zip.ts";

/** What became of what a person brought in. */
export interface Taken {
  /** A sentence for the person. */
  readonly message: string;
  /** Whether a run is complete except for its text, which is still to be brought in. */
  readonly needsText: boolean;
}

/** Texts beside a run are looked at, up to this number. */
const MOST_TEXTS = 5;

/**
 * Trains on what a person brings in. Whatever is refused, the run in training stays.
 *
 * @param settings of a new run on a text
 * @throws NopeekError that says what is wrong with it
 */
export async function take(engine: Engine, given: readonly GivenFile[], settings: Settings): Promise<Taken> {
  const [first] = given;
  const files = given.length === 1 && (await isZip(first.file)) ? await unzip(first) : given;
  if (holdsRun(files)) return takeRun(engine, files);
  if (files.length !== 1)
    throw new DataError(
      `${plural(files.length, "file")}, and no run, which has a config.json: choose one text, or the folder of one run`,
    );
  return takeText(engine, await readOwnText(files[0].path, files[0].file), settings);
}

async function takeText(engine: Engine, text: PlayText, settings: Settings): Promise<Taken> {
  const { waiting } = engine;
  if (waiting !== null) return resume(engine, waiting, text);
  await engine.train(settings, text);
  return { message: `A new run trains on ${printableLine(text.name)}.`, needsText: false };
}

async function takeRun(engine: Engine, files: readonly GivenFile[]): Promise<Taken> {
  const run = await readGivenRun(files);
  const { corpus, settings } = run.config;
  const text = await findText(engine, run, besideRun(files));
  if (text !== null) return resume(engine, run, text);
  engine.waiting = run;
  const of = `${printableLine(corpus?.path ?? "")}, ${plural(corpus?.characters ?? 0, "character")}`;
  const message = `${run.name} is whole, at step ${run.checkpoint?.step ?? 0} of ${settings.steps}. Its text is not here (${of}): choose or drop that text too.`;
  return { message, needsText: true };
}

/** The text of a run, if it is beside it, or in training, or the tales. */
async function findText(
  engine: Engine,
  { config }: GivenRun,
  beside: readonly GivenFile[],
): Promise<PlayText | null> {
  const isIts = (text: PlayText) => text.record.sha256 === config.corpus?.sha256;
  for (const { path, file } of beside.slice(0, MOST_TEXTS)) {
    const text = await readOwnText(lastPart(path), file).catch((error) => {
      // Any file may lie beside a run.
      if (error instanceof DataError) return null;
      throw error;
    });
    if (text !== null && isIts(text)) return text;
  }
  const known = engine.ownText === null ? [] : [engine.ownText];
  return [...known, await engine.tales()].find(isIts) ?? null;
}

function resume(engine: Engine, run: GivenRun, text: PlayText): Taken {
  const { name, config, checkpoint } = run;
  const resumed = engine.resume(run, text);
  const { stepsDone } = resumed.trainer;
  const sentences = [`${name} was checked and continues at step ${stepsDone} of ${config.settings.steps}.`];
  if (resumed.isDone)
    sentences[0] = `${name} was checked. It has made its ${plural(stepsDone, "step")}. For more, resume it in a terminal with more \`steps\`.`;
  const before = savedStateOf(checkpoint).computedBy;
  if (before !== null && before !== computedBy(engine.backend))
    sentences.push(
      `Its bits will not be those of an uninterrupted run: it ran on ${printableLine(before)} before.`,
    );
  if (!resumed.isPure) sentences.push("Some of its steps were made without the causal mask.");
  return { message: sentences.join(" "), needsText: false };
}
