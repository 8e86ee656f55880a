/**
 * The reference backend in double precision, with llama.cpp's GELU: the approximation by tanh, of x rounded to half
 * precision, rounded to half precision, from a table that was computed in single precision. Between -10 and 10 only.
 *
 * Source: ggml_vec_gelu_f32 in https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-cpu/vec.h
 */
import type { Buffer, UnaryName } from "../../src/backend/backend.ts";
import { numbersOf } from "../../src/backend/reference/buffer.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { unary } from "../../src/backend/reference/unary.ts";
import { fromFloat16, toFloat16 } from "../../src/interop/half-floats.ts";

const { abs, fround, tanh } = Math;
const SCALE = fround(0.7978845608028654);
const CUBIC = fround(0.044715);

export class HalfGeluBackend extends ReferenceBackend {
  constructor() {
    super("double");
  }

  override readonly unary = (name: UnaryName, y: Buffer, x: Buffer): void => {
    if (name !== "gelu" && name !== "gelu-tanh") unary(name, y, x);
    else numbersOf(y).set(numbersOf(x).map(halfGelu));
  };
}

function halfGelu(x: number): number {
  if (abs(x) >= 10) return x < 0 ? 0 : x;
  return roundToHalf(singleGelu(roundToHalf(x)));
}

/** In the order of ggml_gelu_f32, each step rounded. */
function singleGelu(x: number): number {
  const cubic = fround(1 + fround(fround(CUBIC * x) * x));
  const inner = fround(fround(SCALE * x) * cubic);
  return fround(fround(0.5 * x) * fround(1 + fround(tanh(inner))));
}

function roundToHalf(x: number): number {
  return fromFloat16(toFloat16(Float32Array.of(x)))[0];
}
