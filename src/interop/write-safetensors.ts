/** Writes weights as safetensors in the type of number that the reader is to have. */
import { ConfigError } from "../errors.ts";
import { encodeSafetensors, type StoredTensor, startOfSafetensors } from "../run/safetensors.ts";
import { joinBytes } from "../util/join-bytes.ts";
import { toBfloat16, toFloat16 } from "./half-floats.ts";
import type { NumberType } from "./number-types.ts";

/** transformers refuses a file without it. */
const METADATA = { format: "pt" };

interface Encoding {
  readonly dtype: string;
  encode(values: Float32Array): Uint16Array;
  /** The bits of infinity, without the sign. */
  readonly infinity: number;
  readonly largest: number;
}

const ENCODINGS: Readonly<Record<Exclude<NumberType, "f32">, Encoding>> = {
  f16: { dtype: "F16", encode: toFloat16, infinity: 0x7c00, largest: 65_504 },
  bf16: { dtype: "BF16", encode: toBfloat16, infinity: 0x7f80, largest: 3.3895e38 },
};

/**
 * A safetensors file, as transformers reads it.
 *
 * @param tensors named as the reader expects, in the order of the file
 * @throws ConfigError if a number is too large for the type
 */
export function writeSafetensors(tensors: ReadonlyMap<string, StoredTensor>, type: NumberType): Uint8Array {
  if (type === "f32") return encodeSafetensors(tensors, METADATA);
  const { dtype } = ENCODINGS[type];
  const entries = Array.from(tensors, ([name, { shape }]) => ({ name, dtype, width: 2, shape }));
  const numbers = Array.from(
    tensors,
    ([name, { values }]) => new Uint8Array(toHalves(name, values, type).buffer),
  );
  return joinBytes([startOfSafetensors(entries, METADATA), ...numbers]);
}

/**
 * The numbers of a weight in 16 bits.
 *
 * @param name the weight's, for the message
 * @throws ConfigError if a number is too large for the type
 */
export function toHalves(name: string, values: Float32Array, type: Exclude<NumberType, "f32">): Uint16Array {
  const halves = ENCODINGS[type].encode(values);
  checkRange(name, values, halves, type);
  return halves;
}

/** A weight that became infinite would make every logit NaN. */
function checkRange(
  name: string,
  values: Float32Array,
  halves: Uint16Array,
  type: keyof typeof ENCODINGS,
): void {
  const { infinity, largest } = ENCODINGS[type];
  const wrong = halves.findIndex((bits, i) => (bits & 0x7fff) === infinity && Number.isFinite(values[i]));
  if (wrong < 0) return;
  throw new ConfigError(
    `\`dtype\` ${type} cannot hold ${values[wrong]}, a weight in "${name}": its largest number is ${largest}; f32 can`,
  );
}
