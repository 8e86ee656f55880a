const FIRST_SIZE = 1 << 12;

/** Appends little-endian numbers and text to bytes that grow. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_SIZE);
  length = 0;

  uint8(value: number): void {
    this.#room(1).setUint8(0, value);
  }

  /** A negative number becomes its two's complement. */
  uint32(value: number): void {
    this.#room(4).setUint32(0, value, true);
  }

  uint64(value: number): void {
    this.#room(8).setBigUint64(0, BigInt(value), true);
  }

  float32(value: number): void {
    this.#room(4).setFloat32(0, value, true);
  }

  /** The length in bytes of the UTF-8 encoding (uint64), then the encoding. */
  text(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.uint64(encoded.length);
    this.#room(encoded.length);
    this.#bytes.set(encoded, this.length - encoded.length);
  }

  /** What was written. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  /** Appends `count` bytes, and returns a view of them. */
  #room(count: number): DataView {
    const from = this.length;
    this.length += count;
    if (this.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return new DataView(this.#bytes.buffer, from, count);
  }
}
