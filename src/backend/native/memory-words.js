// @ts-check
/**
 * Reads the parameters of kernels from memory. Plain JavaScript, because the threads of the pool load it too (see
 * ../wasm/threads/worker.js).
 */

/**
 * One view of all words serves every call: a view for each call would take as long as a small kernel.
 *
 * @param {WebAssembly.Memory} memory grows, but never moves
 * @returns {(end: number) => Int32Array} all words of memory, at least up to the address `end`
 */
export function wordsOf(memory) {
  let words = new Int32Array(memory.buffer);
  return (end) => {
    if (end > words.byteLength) words = new Int32Array(memory.buffer);
    return words;
  };
}
