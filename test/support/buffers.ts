/** Buffers of the double-precision reference backend, for tests that call kernels directly. */
import type { Buffer, WriteTarget } from "../../src/backend/backend.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";

export const reference = new ReferenceBackend("double");

export function bufferOf(values: ArrayLike<number>): Buffer {
  const buffer = reference.alloc(values.length);
  reference.write(buffer, values);
  return buffer;
}

export async function numbersIn(buffer: Buffer): Promise<number[]> {
  return Array.from(await reference.read(buffer));
}

/** Runs a kernel that writes `length` numbers twice: overwriting, and accumulating onto tens. */
export async function written(length: number, run: (target: WriteTarget) => void): Promise<number[]> {
  const [replaced, added] = [reference.alloc(length), bufferOf(new Float64Array(length).fill(10))];
  run({ buffer: replaced, accumulate: false });
  run({ buffer: added, accumulate: true });
  const numbers = await numbersIn(replaced);
  const onTop = await numbersIn(added);
  numbers.forEach((value, i) => {
    if (Math.abs(onTop[i] - (10 + value)) > 1e-12)
      throw new Error(`accumulate: got ${onTop[i]} for 10 + ${value}`);
  });
  return numbers;
}
