/** `nopeek lesson`: lists the lessons. */
import { ConfigError } from "../../../errors.ts";
import { nearest } from "../../../util/edit-distance.ts";
import { Terminal } from "../../terminal/output.ts";

const LESSONS: Readonly<Record<string, string>> = {
  leakage: "train with and without the mask: a loss too good to be true",
  mask: "one attention head in numbers: scores, mask, softmax, weights",
};

/** Lists the lessons. @throws ConfigError for an unknown name */
export function listLessons(name: string | undefined): void {
  const names = Object.keys(LESSONS);
  if (name !== undefined) {
    throw new ConfigError(
      `there is no lesson "${name}"; did you mean "${nearest(name, names)}"? The lessons are ${names.join(" and ")}`,
    );
  }
  const terminal = new Terminal();
  for (const [lesson, summary] of Object.entries(LESSONS)) {
    terminal.write(`nopeek lesson ${lesson.padEnd(9)} ${summary}\n`);
  }
}
