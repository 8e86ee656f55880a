/* One step of AdamW: the kernel of ../../wasm/kernels/optimizer.ts. */
#include "vector.h"

/* As in that file. Elements of all targets are numbered consecutively; `end` is the number after the last. */
typedef struct {
  uint32_t parameter, gradient, moment1, moment2, end;
  /* 1 − learningRate·weightDecay. */
  float decay;
} Target;

/* Elements begin … end−1 of all targets. `rest1` and `rest2` are 1 − beta1 and 1 − beta2. */
void EXPORTED(adamw)(
    uintptr_t memory, uint32_t targets, float gradient_scale, float beta1, float rest1, float beta2, float rest2,
    float step_size, float root_correction2, float epsilon, uint32_t begin, uint32_t end
) {
  char *base = (char *)memory;
  size_t first = 0;
  for (const Target *target = (const Target *)(base + targets); first < end; first = (target++)->end) {
    char *parameter = base + target->parameter, *moment1 = base + target->moment1, *moment2 = base + target->moment2;
    const char *gradient = base + target->gradient;
    FOR_EACH_VECTOR(at, count, begin > first ? begin - first : 0, least(target->end, end) - first) {
      const Vector g = load_some(gradient + at, count, 0) * gradient_scale;
      const Vector m = beta1 * load_some(moment1 + at, count, 0) + rest1 * g;
      const Vector v = beta2 * load_some(moment2 + at, count, 0) + rest2 * g * g;
      const Vector decayed = load_some(parameter + at, count, 0) * target->decay;
      const Vector change = step_size * m / (square_root(v) / root_correction2 + epsilon);
      store_some(moment1 + at, m, count);
      store_some(moment2 + at, v, count);
      store_some(parameter + at, decayed - change, count);
    }
  }
}
