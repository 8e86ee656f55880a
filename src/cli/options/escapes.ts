/** Escapes in texts of the command line: \n, \t, \r, \\, \uXXXX and \u{X}. */
import { Option } from "commander";
import { ConfigError } from "../../errors.ts";

const SIMPLE: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\" };
const LARGEST = 0x10ffff;
const ESCAPES = /\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|(.?))/gsu;

/**
 * Replaces escapes by their characters.
 *
 * @param where names the text in messages, such as "--stop"
 * @throws ConfigError for a backslash before anything else
 * @example
 * withEscapes("one\\ntwo", "--stop"); // "one\ntwo"
 */
export function withEscapes(text: string, where: string): string {
  return text.replace(ESCAPES, (found, long, short, letter) => {
    const code = Number.parseInt(long ?? short ?? "", 16);
    const character = code <= LARGEST ? String.fromCodePoint(code) : SIMPLE[letter ?? ""];
    if (character !== undefined) return character;
    throw new ConfigError(
      `${where}: ${found} is no escape; there are \\n, \\t, \\r, \\uXXXX and \\u{X}, and \\\\ for a backslash: got ${text}`,
    );
  });
}

/** `--escapes`, for prompts: a backslash in source code stays what it is without the flag. */
export function escapesFlag(): Option {
  return new Option(
    "--escapes",
    "prompts have escapes: \\n, \\t, \\r, \\uXXXX, \\u{X}, and \\\\ for a backslash",
  );
}
