/** The texts that `nopeek train` is given: by `--data`, by their paths alone, or by a pipe. */

import { type OpenStdin, STDIN } from "../../../data/text-files.ts";
import { ConfigError } from "../../../errors.ts";
import { RunDirectory } from "../../../run/on-disk.ts";
import { shellWord } from "../../../util/format.ts";
import { inputStats, lookAtInput } from "../../shared/piped-text.ts";
import { stderrReporter } from "../../terminal/output.ts";
import type { TrainFlags } from "./plan-run.ts";

interface TrainingText {
  /** The paths of the texts; undefined if none is given. */
  readonly data: readonly string[] | undefined;
  /** Standard input, if it was opened to look into it. */
  readonly stdin?: OpenStdin;
}

/** Flags that say what to train on, or that the text is another run's. */
const CHOOSING = ["data", "preset", "config", "from", "resume"] as const;

/**
 * Finds the training texts. Standard input is one if nothing else is named and it is a file or a pipe that holds
 * something: never a terminal, a device such as /dev/null, or a pipe in which nothing comes.
 *
 * @throws ConfigError if one of them is a run
 */
export async function trainingText(
  flags: TrainFlags,
  look = () => lookAtInput(inputStats(), () => process.stdin),
): Promise<TrainingText> {
  const { texts = [] } = flags;
  for (const word of texts) if (RunDirectory.isRun(word)) throw isRun(word);
  if (texts.length > 0) return { data: [...texts, ...(flags.data ?? [])] };
  if (CHOOSING.some((name) => flags[name] !== undefined) || flags.model === "seq2seq")
    return { data: flags.data };
  const found = await look();
  const { note } = stderrReporter();
  if (found === "silence") note("standard input is a pipe in which nothing comes; --data - waits for it");
  if (found !== "text") return { data: undefined };
  note("training on standard input; --data names a file instead");
  return { data: [STDIN], stdin: () => process.stdin };
}

function isRun(word: string): ConfigError {
  const folder = shellWord(word);
  return new ConfigError(
    `${word}: is a run, not a text; to continue it:\n  npx nopeek train --resume --out ${folder}\nto fine-tune it on another text:\n  npx nopeek train --from ${folder} --data my.txt`,
  );
}
