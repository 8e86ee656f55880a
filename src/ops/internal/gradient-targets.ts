import type { Tensor } from "../../autograd/tensor.ts";
import type { Backend, Buffer, WriteTarget } from "../../backend/backend.ts";

/** A gradient that a kernel computes. */
export interface KernelGradient {
  readonly tensor: Tensor;
  /** Whether the kernel writes all of it. If not, the rest is 0. */
  readonly whole: boolean;
}

/**
 * Runs a backward kernel that always writes several gradients at once. A gradient that is not needed goes to a scratch
 * buffer.
 */
export function withGradientTargets(
  backend: Backend,
  gradients: readonly KernelGradient[],
  kernel: (targets: readonly WriteTarget[]) => void,
): void {
  const scratch: Buffer[] = [];
  const targets = gradients.map(({ tensor, whole }): WriteTarget => {
    if (!tensor.needsGradient) {
      const buffer = backend.alloc(tensor.size);
      scratch.push(buffer);
      return { buffer, accumulate: false };
    }
    return whole ? tensor.gradientTarget() : { buffer: tensor.zeroedGradient(), accumulate: true };
  });
  kernel(targets);
  for (const buffer of scratch) backend.free(buffer);
}
