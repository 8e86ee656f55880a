import type { Backend, Buffer, WriteTarget } from "../../backend/backend.ts";

/**
 * Runs a backward kernel that writes a gradient for each head of queries, (…, H_kv, G, D), where heads of keys are
 * shared by groups of G; then adds the sum of each group to the gradient of its head of keys, (…, H_kv, D).
 */
export function withGroupSums(
  backend: Backend,
  targets: readonly WriteTarget[],
  { group, width }: { readonly group: number; readonly width: number },
  kernel: (targets: readonly WriteTarget[]) => void,
): void {
  if (group === 1) {
    kernel(targets);
    return;
  }
  const perHead = targets.map(({ buffer }): Buffer => {
    const gradients = backend.alloc(group * buffer.length);
    // The kernel may leave some out.
    backend.fill(gradients, 0);
    return gradients;
  });
  kernel(perHead.map((buffer) => ({ buffer, accumulate: true })));
  perHead.forEach((gradients, i) => {
    const outer = targets[i].buffer.length / width;
    backend.sumAxis(targets[i], gradients, { outer, axis: group, inner: width }, 1);
    backend.free(gradients);
  });
}
