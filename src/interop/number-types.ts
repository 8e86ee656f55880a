/** float32; float16, with 11 significant bits, at most 65504; bfloat16, with 8 significant bits, and float32's range. */
export const NUMBER_TYPES = ["f32", "f16", "bf16"] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];
