/** One step of AdamW on elements begin … end−1, in one pass. See reference/optimizer.ts for the formula. */
import { at, loadSome, putSome } from "./vector";

/** `decay` is 1 − learningRate·weightDecay; `rest1` and `rest2` are 1 − beta1 and 1 − beta2. */
export function adamw(
  parameter: usize, gradient: usize, moment1: usize, moment2: usize,
  gradientScale: f32, decay: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32,
  stepSize: f32, rootCorrection2: f32, epsilon: f32, begin: i32, end: i32,
): void {
  for (let i = begin; i < end; i += 4) {
    const count = min(end - i, 4);
    const g = f32x4.mul(loadSome(at(gradient, i), count), f32x4.splat(gradientScale));
    const m = f32x4.add(
      f32x4.mul(f32x4.splat(beta1), loadSome(at(moment1, i), count)),
      f32x4.mul(f32x4.splat(rest1), g),
    );
    const v = f32x4.add(
      f32x4.mul(f32x4.splat(beta2), loadSome(at(moment2, i), count)),
      f32x4.mul(f32x4.mul(f32x4.splat(rest2), g), g),
    );
    const decayed = f32x4.mul(loadSome(at(parameter, i), count), f32x4.splat(decay));
    const deviation = f32x4.div(f32x4.sqrt(v), f32x4.splat(rootCorrection2));
    const change = f32x4.div(
      f32x4.mul(f32x4.splat(stepSize), m),
      f32x4.add(deviation, f32x4.splat(epsilon)),
    );
    putSome(at(moment1, i), m, count, false);
    putSome(at(moment2, i), v, count, false);
    putSome(at(parameter, i), f32x4.sub(decayed, change), count, false);
  }
}
