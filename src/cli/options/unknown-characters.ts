/** `--unknown`: what becomes of characters in a prompt, or a text to measure, that the model does not know. */
import { Option } from "commander";
import { TokenError } from "../../errors.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { UNKNOWN_POLICIES, type UnknownPolicy } from "../../text/unknown.ts";
import { plural } from "../../util/format.ts";
import type { Terminal } from "../terminal/output.ts";

/** A message names so many of them. */
const NAMED = 8;

export function unknownFlag(): Option {
  const help =
    "characters that the model does not know. reject: an error; drop: left out; byte: spelt in bytes, by models of bytes only";
  return new Option("--unknown <what>", help).choices(UNKNOWN_POLICIES).default(undefined, "reject");
}

export interface Known {
  /** What is left of the text. */
  readonly text: string;
  readonly ids: Int32Array;
}

/**
 * A text as the model can read it. What is left out is told.
 *
 * @throws TokenError for "reject" and for "byte", where there is a character that the model does not know
 */
export function encodeKnown(
  tokenizer: Tokenizer,
  text: string,
  unknown: UnknownPolicy = "reject",
  terminal: Terminal | null = null,
): Known {
  const strangers = strangersIn(tokenizer, text);
  if (strangers.size === 0) return { text, ids: tokenizer.encode(text) };
  const names = namesOf([...strangers]);
  if (unknown === "byte")
    throw new TokenError(
      `--unknown byte: this model's tokens are characters, and it has none for bytes: got ${names}; --unknown drop leaves such out, or train a model with --tokenizer byte`,
    );
  if (unknown === "reject") throw rejection(tokenizer, text, names);
  const kept = Array.from(text).filter((character) => !strangers.has(character));
  const dropped = Array.from(text).length - kept.length;
  if (terminal !== null) tellDropped(terminal, dropped, names);
  return { text: kept.join(""), ids: tokenizer.encode(kept.join("")) };
}

export function tellDropped(terminal: Terminal, dropped: number, names: string): void {
  terminal.note(`dropped     ${plural(dropped, "character")} that the model does not know: ${names}`);
}

function strangersIn(tokenizer: Tokenizer, text: string): Set<string> {
  const data = tokenizer.toJSON();
  if (data.kind === "byte") return new Set();
  const known = new Set(data.characters);
  return new Set(Array.from(text).filter((character) => !known.has(character)));
}

/** Names those of a text's characters that a model does not know; "" where it knows all. */
export function namesOfUnknown(tokenizer: Tokenizer, characters: string): string {
  return namesOf([...strangersIn(tokenizer, characters)]);
}

/** What the tokenizer says of the first, the names of all, and what can be done. */
export function withAdvice(cause: TokenError, names: string): TokenError {
  const message = `${cause.message}; or leave out what it does not know, ${names}, with --unknown drop`;
  return new TokenError(message, { cause });
}

function rejection(tokenizer: Tokenizer, text: string, names: string): TokenError {
  try {
    tokenizer.encode(text);
  } catch (cause) {
    if (cause instanceof TokenError) return withAdvice(cause, names);
    throw cause;
  }
  return new TokenError(`the model does not know ${names}; --unknown drop leaves such characters out`);
}

function namesOf(characters: readonly string[]): string {
  const named = characters.slice(0, NAMED).map((character) => JSON.stringify(character));
  return characters.length > NAMED
    ? `${named.join(" ")} and ${characters.length - NAMED} more`
    : named.join(" ");
}
