/** One step of AdamW, in a single pass over many parameters. For the formula, see ../../reference/optimizer.ts. */
import { at, loadSome, putSome } from "./vector";

/**
 * One parameter of a list, whose elements are numbered consecutively. ../host/multi-tensor.ts writes the fields in
 * this order.
 */
@unmanaged
class Target {
  parameter: usize;
  gradient: usize;
  moment1: usize;
  moment2: usize;
  /** The number after its last element, which is the first element of the next parameter. */
  end: i32;
  /** 1 − learningRate·weightDecay. */
  decay: f32;
}

/** Elements begin … end−1 of all targets. `rest1` and `rest2` are 1 − beta1 and 1 − beta2. */
export function adamw(
  targets: usize, gradientScale: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32,
  stepSize: f32, rootCorrection2: f32, epsilon: f32, begin: i32, end: i32,
): void {
  let first = 0;
  for (let each = targets; first < end; each += offsetof<Target>()) {
    const target = changetype<Target>(each);
    const parameter = target.parameter, gradient = target.gradient;
    const moment1 = target.moment1, moment2 = target.moment2, decay = target.decay;
    const last = min(target.end, end) - first;
    for (let i = max(begin - first, 0); i < last; i += 4) {
      const count = min(last - i, 4);
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
    first = target.end;
  }
}
