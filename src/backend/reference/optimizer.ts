/** One step of AdamW. Source: Loshchilov & Hutter 2019, algorithm 2, in the order of PyTorch's torch.optim.AdamW. */
import type { AdamWStep, AdamWTarget } from "../backend.ts";
import { numbersOf } from "./buffer.ts";

/**
 *   g = gradientScale·gradient
 *   p ← p·(1 − learningRate·weightDecay)
 *   m ← beta1·m + (1 − beta1)·g
 *   v ← beta2·v + (1 − beta2)·g²
 *   p ← p − learningRate·(m/correction1) / (√(v/correction2) + ε)
 */
export function adamw(targets: readonly AdamWTarget[], step: AdamWStep): void {
  for (const target of targets) move(target, step);
}

function move({ parameter, gradient, moment1, moment2, weightDecay }: AdamWTarget, step: AdamWStep): void {
  const [ps, gs, ms, vs] = [parameter, gradient, moment1, moment2].map(numbersOf);
  const { learningRate, beta1, beta2, epsilon, correction1, correction2, gradientScale } = step;
  for (let i = 0; i < ps.length; i++) {
    const g = gradientScale * gs[i];
    const m = beta1 * ms[i] + (1 - beta1) * g;
    const v = beta2 * vs[i] + (1 - beta2) * g * g;
    ms[i] = m;
    vs[i] = v;
    const decayed = ps[i] * (1 - learningRate * weightDecay);
    ps[i] = decayed - (learningRate * (m / correction1)) / (Math.sqrt(v / correction2) + epsilon);
  }
}
