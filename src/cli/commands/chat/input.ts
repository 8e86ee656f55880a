/** Where the lines of a chat come from: keys, with history and completion, or the lines of a file or a pipe. */
import { createInterface } from "node:readline";
import { STDIN } from "../../../data/text-files.ts";
import { DataError } from "../../../errors.ts";
import { readRegular } from "../../../run/regular-file.ts";
import { failureReason } from "../../../util/failure-reason.ts";
import { COMMAND_NAMES } from "./slash-commands.ts";

export interface ChatInput {
  /** Whether a person types the lines. */
  readonly interactive: boolean;
  /** The next line, or null at the end. */
  next(): Promise<string | null>;
  close(): void;
}

const PROMPT = "> ";
/** A file of prompts may have this many bytes. */
const LIMIT = 1 << 26;

/**
 * Opens the input: a file of prompts, one a line, or standard input.
 *
 * @param path a file; undefined or - for standard input
 * @param interrupt called on Ctrl-C; false if there was nothing to interrupt, which ends the input
 * @throws DataError if the file cannot be read
 */
export function openInput(path: string | undefined, interrupt: () => boolean): ChatInput {
  if (path !== undefined && path !== STDIN) return linesOf(readPrompts(path));
  const interactive = process.stdin.isTTY === true;
  const lines = createInterface({
    input: process.stdin,
    ...(interactive && { output: process.stderr, prompt: PROMPT, completer: complete }),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  const waiting: string[] = [];
  let ended = false;
  let wake = () => {};
  lines.on("line", (line) => {
    waiting.push(line);
    wake();
  });
  lines.on("close", () => {
    ended = true;
    wake();
  });
  lines.on("SIGINT", () => {
    if (!interrupt()) lines.close();
  });
  return {
    interactive,
    async next() {
      while (waiting.length === 0 && !ended) {
        if (interactive) lines.prompt();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return waiting.shift() ?? null;
    },
    close: () => lines.close(),
  };
}

function linesOf(lines: readonly string[]): ChatInput {
  let at = 0;
  return { interactive: false, next: async () => lines[at++] ?? null, close() {} };
}

function readPrompts(path: string): string[] {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(readRegular(path, LIMIT));
    return text.replace(/\r?\n$/, "").split(/\r?\n/);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const reason =
      cause instanceof TypeError
        ? "is not valid UTF-8"
        : `cannot be read: ${failureReason(cause) ?? cause.message}`;
    throw new DataError(`${path}: ${reason}; --prompts needs a text file with one prompt a line`, { cause });
  }
}

/** Completes the name of a command. */
function complete(line: string): [string[], string] {
  return [line.startsWith("/") ? COMMAND_NAMES.filter((name) => name.startsWith(line)) : [], line];
}
