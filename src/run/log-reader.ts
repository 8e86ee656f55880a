/** Reads the log of a run in constant memory: a run of a quarter of an hour may have written a gigabyte. */
import * as z from "zod/mini";
import { CheckpointError } from "../errors.ts";
import { nestsTooDeep } from "../util/json-depth.ts";
import { joinPath } from "../util/paths.ts";
import type { Files } from "./files.ts";
import { LOG } from "./layout.ts";
import { type LogEntry, stepNumber } from "./log.ts";
import { linesOf } from "./log-lines.ts";

const resumption = z.strictObject({ resumedAfterStep: stepNumber, steps: z.optional(stepNumber) });
/** The line of a training step as this program writes it, whose step is known without parsing the rest. */
const OWN_STEP = /^\{"kind":"step","step":(\d{1,15}),/;
/** Shorter lines cannot nest too deep for anything. */
const SHORT = 500;
/** No run is resumed more often. */
const MOST_CUTS = 100_000;

/** The entries before line `line` count only if their step is below `step`. */
interface Cut {
  readonly line: number;
  readonly step: number;
}

/** A log that was read once, to find which of its entries count. */
export class LogReader {
  readonly #files: Files;
  readonly #file: string;
  readonly #end: number;
  /** In the order of their lines, which is also that of their steps. */
  readonly #cuts: readonly Cut[];
  /** The total number of steps asked for at the last resume; null if the run was never resumed. */
  readonly stepsAsked: number | null;

  /** @throws CheckpointError when the log cannot be read, or no run could have written it */
  constructor(files: Files, run: string) {
    this.#files = files;
    this.#file = joinPath(run, LOG);
    // What a running program appends from now on is left out.
    // Reading at least one byte reports a link, a pipe or a folder.
    const found = files.inspect(this.#file);
    this.#end = found === null ? 0 : Math.max(1, found.bytes);
    const { cuts, stepsAsked } = this.#findCuts();
    this.#cuts = cuts;
    this.stepsAsked = stepsAsked;
  }

  /**
   * The entries that count, oldest first: without those that a resume discarded, without those before a step that was
   * repeated (a log that was copied or concatenated may overlap), and without lines that a kill cut short.
   */
  *entries(): Generator<LogEntry> {
    let next = 0;
    let number = 0;
    for (const line of this.#lines()) {
      while (next < this.#cuts.length && this.#cuts[next].line <= number) next += 1;
      const entry = entryOf(parseLine(line));
      const below = next < this.#cuts.length ? this.#cuts[next].step : Number.POSITIVE_INFINITY;
      if (entry !== null && entry.step < below) yield entry;
      number += 1;
    }
  }

  #lines(): Generator<string> {
    return linesOf(this.#files, this.#file, { end: this.#end });
  }

  #findCuts(): { cuts: readonly Cut[]; stepsAsked: number | null } {
    const cuts: Cut[] = [];
    let stepsAsked: number | null = null;
    /** The highest step that counts so far. */
    let highest = -1;
    let number = 0;
    const cutAt = (step: number) => {
      if (step > highest) return;
      while (cuts.length > 0 && cuts[cuts.length - 1].step >= step) cuts.pop();
      cuts.push({ line: number, step });
      highest = step - 1;
      if (cuts.length > MOST_CUTS) throw this.#damaged();
    };
    for (const line of this.#lines()) {
      const own = line.endsWith("}") ? OWN_STEP.exec(line) : null;
      const value = own === null ? parseLine(line) : null;
      const entry = own === null ? entryOf(value) : { kind: "step", step: Number(own[1]) };
      if (entry !== null) {
        if (entry.kind === "step") cutAt(entry.step);
        highest = Math.max(highest, entry.step);
      } else {
        const resumed = resumption.safeParse(value).data;
        if (resumed !== undefined) {
          cutAt(resumed.resumedAfterStep + 1);
          stepsAsked = resumed.steps ?? null;
        }
      }
      number += 1;
    }
    return { cuts, stepsAsked };
  }

  #damaged(): CheckpointError {
    return new CheckpointError(`${this.#file}: is damaged: its steps go back more than ${MOST_CUTS} times`);
  }
}

/** null if the value is not an entry. By hand, because a log has millions. */
function entryOf(value: unknown): LogEntry | null {
  return isEntry(value) ? value : null;
}

function isEntry(value: unknown): value is LogEntry {
  return typeof value === "object" && value !== null && "step" in value && isStep(value.step);
}

function isStep(step: unknown): boolean {
  return Number.isSafeInteger(step) && typeof step === "number" && step >= 0;
}

function parseLine(line: string): unknown {
  if (line.length > SHORT && nestsTooDeep(line)) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
