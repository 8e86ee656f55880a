/**
 * Numbers of 16 bits, as bits in a Uint16Array.
 *
 *   float16    1 sign, 5 exponent, 10 fraction bits; at most 65504
 *   bfloat16   1 sign, 8 exponent,  7 fraction bits; the upper half of a float32
 *
 * To 16 bits, numbers are rounded to the nearest, halfway cases to an even last bit, and numbers beyond the range
 * become infinite. From 16 bits, they are exact. NaN stays NaN, quiet.
 */

/** Rounds to float16. */
export function toFloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(bitsOf(values), float16Bits);
}

/** Rounds to bfloat16. */
export function toBfloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(bitsOf(values), bfloat16Bits);
}

export function fromFloat16(halves: Uint16Array): Float32Array {
  return floatsOf(halves, float16ToFloat32Bits);
}

export function fromBfloat16(halves: Uint16Array): Float32Array {
  return floatsOf(halves, (half) => half << 16);
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function floatsOf(halves: Uint16Array, bitsOfHalf: (half: number) => number): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = bitsOfHalf(halves[i]);
  return new Float32Array(bits.buffer);
}

const INFINITE = 0x7f800000;

function bfloat16Bits(bits: number): number {
  // A NaN whose fraction is only in the lower half would become an infinity.
  if ((bits & 0x7fffffff) > INFINITE) return (bits >>> 16) | 0x40;
  return roundedShift(bits, 16);
}

function float16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > INFINITE) return sign | 0x7e00;
  const exponent = (magnitude >>> 23) - 127;
  if (exponent > 15) return sign | 0x7c00;
  // A carry out of the fraction goes into the exponent, as it should; from 65520 on it makes an infinity.
  if (exponent >= -14) return sign | roundedShift(magnitude - (112 << 23), 13);
  if (exponent < -25) return sign;
  // Below 2^−14 the exponent is fixed, and the leading 1 is written out.
  return sign | roundedShift((magnitude & 0x7fffff) | 0x800000, -1 - exponent);
}

/** bits / 2^shift, rounded to the nearest, halfway cases to even. */
function roundedShift(bits: number, shift: number): number {
  const kept = bits >>> shift;
  const rest = bits & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

function float16ToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) return sign | INFINITE | ((magnitude & 0x3ff) << 13);
  if (magnitude >= 0x400) return sign | ((magnitude << 13) + (112 << 23));
  if (magnitude === 0) return sign;
  // A subnormal number: shift until the leading 1 is where a float32 leaves it out.
  const zeros = Math.clz32(magnitude) - 21;
  return sign | ((113 - zeros) << 23) | (((magnitude << zeros) & 0x3ff) << 13);
}
