/**
 * Protocol buffers, as far as ONNX needs them. A message is its fields, one after the other. A field is a number and a
 * type, then a varint, or a length and that number of bytes.
 *
 * Source: https://protobuf.dev/programming-guides/encoding
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** One message. Its bytes are copied once, by `finish`, however deep messages nest. */
export class ProtobufMessage {
  readonly #chunks: Uint8Array[] = [];
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  integer(field: number, value: number): this {
    return this.#append(varint(field * 8 + VARINT), varint(value));
  }

  bytes(field: number, bytes: Uint8Array): this {
    return this.#append(varint(field * 8 + LENGTH_DELIMITED), varint(bytes.length), bytes);
  }

  text(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text));
  }

  message(field: number, message: ProtobufMessage): this {
    const head = [varint(field * 8 + LENGTH_DELIMITED), varint(message.byteLength)];
    return this.#append(...head, ...message.#chunks);
  }

  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#byteLength);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  #append(...chunks: readonly Uint8Array[]): this {
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#byteLength += chunk.length;
    }
    return this;
  }
}

/** Seven bits a byte, the lowest first; the eighth bit marks that more follow. Negative numbers as 64 bits. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
