/** The bytes of tokens, as the decoder of a tokenizer.json says, and what it removes at the start of a text. */
import { TokenError } from "../../errors.ts";
import { BYTE_CHARACTERS } from "../byte-characters.ts";
import type { TokenizerDefinition } from "./definition.ts";

export interface TokenDecoder {
  /** The UTF-8 bytes of a token. */
  readonly bytesOf: (token: string) => Uint8Array;
  /** What is removed at the start of a decoded text: the space that encoding put there. */
  readonly removed: "nothing" | "a space" | "all spaces of the first token";
}

const SPACE = "▁";
const BYTES = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/**
 * Decoders whose tokens can be decoded one by one.
 *
 * @throws TokenError for another one
 */
export function tokenDecoder({ decoders }: Pick<TokenizerDefinition, "decoders">): TokenDecoder {
  const [first] = decoders;
  const types = decoders.map(({ type }) => type).join(", ");
  const last = decoders.at(-1);
  switch (types) {
    case "ByteLevel":
      return { bytesOf: byteLevel, removed: "nothing" };
    case "Fuse":
      return { bytesOf: encode, removed: "nothing" };
    case "Metaspace": {
      const adds = first.type === "Metaspace" && first.prepend_scheme !== "never";
      return { bytesOf: spaces, removed: adds ? "all spaces of the first token" : "nothing" };
    }
    case "Replace, ByteFallback, Fuse":
      return { bytesOf: byteFallback, removed: "nothing" };
    case "Replace, ByteFallback, Fuse, Strip": {
      const strips = last?.type === "Strip" && last.start === 1;
      return { bytesOf: byteFallback, removed: strips ? "a space" : "nothing" };
    }
    default:
      throw new TokenError(
        `tokenizer.json: \`decoder\` is read if it is ByteLevel, Fuse, Metaspace, or Replace, ByteFallback and Fuse, perhaps with Strip: got ${types === "" ? "none" : types}`,
      );
  }
}

function byteLevel(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTES.get(character);
    // An added token that is not spelled in bytes.
    if (byte === undefined) return encode(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function byteFallback(token: string): Uint8Array {
  const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
  return hex === null ? spaces(token) : Uint8Array.of(Number.parseInt(hex[1], 16));
}

function spaces(token: string): Uint8Array {
  return encode(token.replaceAll(SPACE, " "));
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
