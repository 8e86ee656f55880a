/** Kernels with slightly wrong gradients, which a gradient check must detect. */
import type { Backend, Buffer, HostIntegers } from "../../src/backend/backend.ts";
import { numbersOf } from "../../src/backend/reference/buffer.ts";

export interface WrongGradient {
  readonly what: string;
  readonly replaced: Partial<Backend>;
}

/** @param inner a reference backend that does everything else */
export function wrongGradients(inner: Backend) {
  const gelu: WrongGradient = {
    what: "the derivative of GELU's tanh approximation",
    replaced: {
      geluWithDerivative: (name, y, derivative, x) => {
        const spare = inner.alloc(x.length);
        inner.geluWithDerivative("gelu-tanh", spare, spare, x);
        inner.unary(name, y, x);
        inner.scale({ buffer: derivative, accumulate: false }, spare, 1);
        inner.free(spare);
      },
    },
  };
  const attention: WrongGradient = {
    what: "an attention gradient that is too large by a factor of 1.00001",
    replaced: {
      attentionBackward: (dq, ...rest) => {
        inner.attentionBackward(dq, ...rest);
        inner.scale({ buffer: dq.buffer, accumulate: false }, dq.buffer, 1 + 1e-5);
      },
    },
  };
  const scatter: WrongGradient = {
    what: "repeated tokens that overwrite gradients instead of adding them",
    replaced: { scatterAddRows: overwriteRows },
  };
  return { gelu, attention, scatter };
}

/** dTable[indices[i]] = dy[i]: a scatter that overwrites instead of adding. */
function overwriteRows(
  dTable: Buffer,
  dy: Buffer,
  indices: HostIntegers,
  rows: number,
  columns: number,
): void {
  const [to, from] = [dTable, dy].map(numbersOf);
  for (let i = 0; i < rows * columns; i++) {
    to[indices[Math.floor(i / columns)] * columns + (i % columns)] = from[i];
  }
}
