/**
 * Stores bytes that can be read only once, so they can be read again: in memory while they fit, then in a temporary
 * file. The file is unlinked as soon as it is open, so nothing is left behind however the program ends.
 */
import { closeSync, readSync, rmSync, writeSync } from "node:fs";
import { createAfresh } from "../run/regular-file.ts";
import { type CachePlace, hiddenName, inCache } from "./token-cache.ts";

const CHUNK_BYTES = 1 << 20;

export class ReplayableBytes {
  readonly #place: CachePlace;
  #chunks: Uint8Array[] = [];
  #length = 0;
  /** The temporary file; null while everything is in memory. */
  #descriptor: number | null = null;

  constructor(place: CachePlace) {
    this.#place = place;
  }

  /** @throws DataError if the file cannot be written */
  push(chunk: Uint8Array): void {
    this.#length += chunk.length;
    if (this.#descriptor !== null) this.#write(this.#descriptor, chunk);
    else this.#chunks.push(chunk.slice());
    if (this.#descriptor === null && this.#length > this.#place.inMemoryBytes) this.#spill();
  }

  *#fromFile(descriptor: number): Generator<Uint8Array> {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let at = 0; at < this.#length; ) {
      const got = inCache(this.#place, () => readSync(descriptor, buffer, 0, CHUNK_BYTES, at));
      if (got === 0) return;
      yield buffer.subarray(0, got);
      at += got;
    }
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    yield* this.#descriptor === null ? this.#chunks : this.#fromFile(this.#descriptor);
  }

  release(): void {
    this.#chunks = [];
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#length = 0;
  }

  #spill(): void {
    const path = hiddenName(this.#place, "text");
    const descriptor = inCache(this.#place, () => createAfresh(path));
    rmSync(path);
    for (const chunk of this.#chunks) this.#write(descriptor, chunk);
    this.#chunks = [];
    this.#descriptor = descriptor;
  }

  #write(descriptor: number, chunk: Uint8Array): void {
    for (let done = 0; done < chunk.length; )
      done += inCache(this.#place, () => writeSync(descriptor, chunk, done, chunk.length - done));
  }
}
