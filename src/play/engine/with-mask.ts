/** Asks a model something under a mask of the switch. */
import type { MaskSwitchGPT } from "../../nn/mask-switch.ts";
import type { MaskMode } from "../masks.ts";
import { maskMatrixOf } from "./mask-matrix.ts";

/** Runs `body` while the model has this mask, and then restores the mask that it had. */
export async function withMask<T>(model: MaskSwitchGPT, mask: MaskMode, body: () => Promise<T>): Promise<T> {
  const before = model.maskMatrix;
  model.maskMatrix = maskMatrixOf(mask);
  try {
    return await body();
  } finally {
    model.maskMatrix = before;
  }
}
