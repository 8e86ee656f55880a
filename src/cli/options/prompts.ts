/** The texts of `--prompt`: as given, with escapes, or from standard input. */
import { readFileSync } from "node:fs";
import { STDIN } from "../../data/text-files.ts";
import { DataError, SampleError } from "../../errors.ts";
import { withEscapes } from "./escapes.ts";

/**
 * Reads the prompts. A prompt of - is read from standard input, without a line break at its end; it has no escapes.
 *
 * @throws ConfigError for an escape that does not exist
 * @throws SampleError if two prompts are to come from standard input
 * @throws DataError if standard input is not UTF-8
 */
export function promptTexts(prompts: readonly string[], escapes = false): string[] {
  if (prompts.filter((prompt) => prompt === STDIN).length > 1)
    throw new SampleError("--prompt - reads all of standard input: give it once");
  return prompts.map((prompt) => {
    if (prompt === STDIN) return readStandardInput();
    return escapes ? withEscapes(prompt, "--prompt") : prompt;
  });
}

function readStandardInput(): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(readFileSync(0))
      .replace(/\r?\n$/, "");
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const reason = cause instanceof TypeError ? "is not valid UTF-8" : `cannot be read: ${cause.message}`;
    throw new DataError(`--prompt -: standard input ${reason}`, { cause });
  }
}
