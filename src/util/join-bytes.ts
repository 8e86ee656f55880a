/**
 * Pieces one after the other, in a new array.
 *
 * @example joinBytes([Uint8Array.of(1), Uint8Array.of(2, 3)]) // 1, 2, 3
 */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
