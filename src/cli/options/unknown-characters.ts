/** `--unknown`: how to handle characters in a prompt or an evaluation text that are not in the model's vocabulary. */
import { Option } from "commander";
import { TokenError } from "../../errors.ts";
import type { Encoder } from "../../nn/encoder.ts";
import { BLANK, idsWithBlanks } from "../../sample/fill-blanks.ts";
import { knownCharacters } from "../../text/known-characters.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { UNKNOWN_POLICIES, type UnknownPolicy } from "../../text/unknown.ts";
import { plural } from "../../util/format.ts";
import { printableJson } from "../../util/printable.ts";
import type { Terminal } from "../terminal/output.ts";

/** The most characters that a message lists. */
const NAMED = 8;

export function unknownFlag(): Option {
  const help =
    "characters that the model does not know. reject: fail; drop: leave them out; byte: encode them as bytes (byte tokenizers only)";
  return new Option("--unknown <what>", help).choices(UNKNOWN_POLICIES).default(undefined, "reject");
}

export interface Known {
  /** The text without the dropped characters. */
  readonly text: string;
  readonly ids: Int32Array;
}

/**
 * Encodes a text for a model, and reports the characters that it drops.
 *
 * @throws TokenError for "reject" and "byte" if the model does not know a character
 */
export function encodeKnown(
  tokenizer: Tokenizer,
  text: string,
  unknown: UnknownPolicy = "reject",
  terminal: Terminal | null = null,
): Known {
  const unknownCharacters = unknownIn(tokenizer, text);
  if (unknownCharacters.size === 0) return { text, ids: tokenizer.encode(text) };
  const names = namesOf([...unknownCharacters]);
  if (unknown === "byte")
    throw new TokenError(
      `--unknown byte: this model's tokens are characters, so it cannot encode bytes: got ${names}; leave such characters out with --unknown drop, or train a model with --tokenizer byte`,
    );
  if (unknown === "reject") throw rejection(tokenizer, text, names);
  const kept = Array.from(text).filter((character) => !unknownCharacters.has(character));
  const dropped = Array.from(text).length - kept.length;
  if (terminal !== null) reportDropped(terminal, dropped, names);
  return { text: kept.join(""), ids: tokenizer.encode(kept.join("")) };
}

/**
 * Encodes a text with blanks for an encoder. Positions in messages are those of the whole text. Throws as `encodeKnown`
 * does.
 */
export function encodeWithBlanks(
  model: Encoder,
  tokenizer: Tokenizer,
  text: string,
  unknown?: UnknownPolicy,
  terminal: Terminal | null = null,
): number[] {
  encodeKnown(tokenizer, text.replaceAll(BLANK, knownLetter(tokenizer)), unknown, terminal);
  return idsWithBlanks(model, (piece) => encodeKnown(tokenizer, piece, unknown).ids, text);
}

/** A character that the model knows, if possible not a line feed. */
function knownLetter(tokenizer: Tokenizer): string {
  const known = [...(knownCharacters(tokenizer) ?? " ")];
  return known.find((character) => character !== "\n") ?? known[0];
}

/** Reports the stop texts with a character that the model never writes. */
export function reportImpossibleStops(
  terminal: Terminal,
  tokenizer: Tokenizer,
  stops: readonly string[] = [],
  name: string,
): void {
  for (const stop of stops) {
    const names = namesOfUnknown(tokenizer, stop);
    if (names !== "")
      terminal.note(`${name} ${printableJson(stop)} never occurs: this model's vocabulary has no ${names}`);
  }
}

export function reportDropped(reporter: { note(line: string): void }, dropped: number, names: string): void {
  reporter.note(`dropped     ${plural(dropped, "character")} that the model does not know: ${names}`);
}

function unknownIn(tokenizer: Tokenizer, text: string): Set<string> {
  const known = knownCharacters(tokenizer);
  if (known === null) return new Set();
  return new Set(Array.from(text).filter((character) => !known.has(character)));
}

/** Lists the characters that a model does not know, or returns "" if it knows them all. */
export function namesOfUnknown(tokenizer: Tokenizer, characters: string): string {
  return namesOf([...unknownIn(tokenizer, characters)]);
}

/** Extends the tokenizer's error about the first unknown character with the full list and the remedy. */
export function withAdvice(cause: TokenError, names: string): TokenError {
  const message = `${cause.message}; or leave out the unknown characters, ${names}, with --unknown drop`;
  return new TokenError(message, { cause });
}

function rejection(tokenizer: Tokenizer, text: string, names: string): TokenError {
  try {
    tokenizer.encode(text);
  } catch (cause) {
    if (cause instanceof TokenError) return withAdvice(cause, names);
    throw cause;
  }
  return new TokenError(`the model does not know ${names}; leave such characters out with --unknown drop`);
}

function namesOf(characters: readonly string[]): string {
  const named = characters.slice(0, NAMED).map((character) => printableJson(character));
  return characters.length > NAMED
    ? `${named.join(" ")} and ${characters.length - NAMED} more`
    : named.join(" ");
}
