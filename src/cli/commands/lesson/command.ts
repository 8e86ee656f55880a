/** `nopeek lesson`: what there is to be learned by looking. */
import { ConfigError } from "../../../errors.ts";
import { nearest } from "../../../util/edit-distance.ts";
import { Terminal } from "../../terminal/output.ts";

const LESSONS: Readonly<Record<string, string>> = {
  leakage: "train with the mask and without: a loss too good to be true",
  mask: "one head in numbers: scores, mask, softmax, weights",
};

/** Lists the lessons. @throws ConfigError for one that there is not */
export function listLessons(name: string | undefined): void {
  const names = Object.keys(LESSONS);
  if (name !== undefined) {
    throw new ConfigError(
      `there is no lesson "${name}"; did you mean "${nearest(name, names)}"? There are: ${names.join(", ")}`,
    );
  }
  const terminal = new Terminal();
  for (const [lesson, what] of Object.entries(LESSONS)) {
    terminal.write(`nopeek lesson ${lesson.padEnd(9)} ${what}\n`);
  }
}
