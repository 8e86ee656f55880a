/*
 * The functions between the layers of an MLP and their derivatives, for elements begin … end−1: kernels of
 * ../../wasm/kernels/unary.ts, which explains the formulas. `x`, `y` and others are offsets from `memory`.
 */
#include "math.h"

typedef enum { TANH, SILU, GELU, GELU_TANH } Function;

#define ONE_OVER_SQRT_TWO_PI 0.3989422804014327f
#define SQRT_TWO_OVER_PI 0.7978845608028654f
/* The inner function of GELU's tanh form, doubled: coefficients of x and x³, and three times the latter. */
#define INNER (2 * SQRT_TWO_OVER_PI)
#define INNER_CUBIC (2 * SQRT_TWO_OVER_PI * 0.044715f)
#define INNER_SLOPE (6 * SQRT_TWO_OVER_PI * 0.044715f)
/* Left of −FAR, GELU is 0; right of FAR, GELU(x) is x. The same for SiLU. */
#define FAR 16
#define FAR_OF_SILU 104

INLINE Vector not_below(Vector x, float least) { return pmax(x, splat(least)); }
INLINE Vector not_above(Vector x, float most) { return pmin(x, splat(most)); }

/* F(x) from F(−|x|) of a symmetric distribution. */
INLINE Vector reflect(Vector x, Vector below) { return if_less(x, splat(0), below, 1 - below); }

/* Φ(x), from a = |x| and b = e^{−a²/2}. */
INLINE Vector normal_below(Vector x, Vector a, Vector b) { return reflect(x, b * tail_over_bell(a)); }

/* e^{−|z|}. */
INLINE Vector exp_of_minus_magnitude(Vector z) { return exp_of_negative(-magnitude(z)); }

/* σ(z), from e = e^{−|z|}. */
INLINE Vector sigmoid(Vector z, Vector e) { return if_less(z, splat(0), e, splat(1)) / (1 + e); }

/* σ(z) + slope·σ′(z), from e = e^{−|z|}: the derivative of x·σ(z) if slope = x·z′(x). */
INLINE Vector gate_derivative(Vector z, Vector e, Vector slope) {
  const Vector inverse = 1 / (1 + e);
  return if_less(z, splat(0), e, splat(1)) * inverse + slope * (e * inverse * inverse);
}

/* GELU's tanh form is x·σ(z) with this z. */
INLINE Vector gelu_inner(Vector x) { return x * (INNER + x * x * INNER_CUBIC); }
INLINE Vector gelu_tanh_derivative(Vector x, Vector z, Vector e) {
  return gate_derivative(z, e, x * (INNER + x * x * INNER_SLOPE));
}

INLINE Vector value(const Function name, Vector x) {
  if (name == TANH) return tanh_of(x);
  if (name == SILU) {
    const Vector above = not_below(x, -FAR_OF_SILU);
    return above * sigmoid(above, exp_of_minus_magnitude(above));
  }
  const Vector above = not_below(x, -FAR);
  if (name == GELU) {
    const Vector a = not_above(magnitude(above), FAR);
    return above * normal_below(above, a, bell(a));
  }
  const Vector z = gelu_inner(above);
  return above * sigmoid(z, exp_of_minus_magnitude(z));
}

/* Φ(x) + x·e^{−x²/2}/√(2π) for |x| ≤ FAR, from a = |x| and b = e^{−a²/2}. */
INLINE Vector gelu_derivative(Vector x, Vector below, Vector b) {
  return below + x * (b * ONE_OVER_SQRT_TWO_PI);
}

/* dy·f′(x), computed from x or from y = f(x). */
INLINE Vector derivative(const Function name, Vector dy, Vector x, Vector y) {
  if (name == TANH) return dy * (1 - y * y);
  if (name == SILU) {
    const Vector inside = not_above(not_below(x, -FAR_OF_SILU), FAR_OF_SILU);
    return dy * gate_derivative(inside, exp_of_minus_magnitude(inside), inside);
  }
  const Vector inside = not_above(not_below(x, -FAR), FAR);
  if (name == GELU) {
    const Vector a = magnitude(inside), b = bell(a);
    return dy * gelu_derivative(inside, normal_below(inside, a, b), b);
  }
  const Vector z = gelu_inner(inside);
  return dy * gelu_tanh_derivative(inside, z, exp_of_minus_magnitude(z));
}

/* y = f(x) and d = f′(x) at once, for GELU and its tanh form. */
INLINE void both(const Function name, Vector x, Vector *y, Vector *d) {
  const Vector above = not_below(x, -FAR), inside = not_above(above, FAR);
  if (name == GELU) {
    const Vector a = magnitude(inside), b = bell(a);
    const Vector below = normal_below(inside, a, b);
    *d = gelu_derivative(inside, below, b);
    *y = above * below;
  } else {
    const Vector z = gelu_inner(inside), e = exp_of_minus_magnitude(z);
    *d = gelu_tanh_derivative(inside, z, e);
    *y = above * sigmoid(z, e);
  }
}

#define UNARY(kernel, name) \
  void EXPORTED(kernel)(uintptr_t memory, uint32_t y, uint32_t x, uint32_t begin, uint32_t end) { \
    char *base = (char *)memory; \
    FOR_EACH_VECTOR(at, count, begin, end) \
    store_some(base + y + at, value(name, load_some(base + x + at, count, 1)), count); \
  } \
  void EXPORTED(kernel##Backward)( \
      uintptr_t memory, uint32_t dx, uint32_t dy, uint32_t x, uint32_t y, uint32_t accumulate, uint32_t begin, \
      uint32_t end \
  ) { \
    char *base = (char *)memory; \
    FOR_EACH_VECTOR(at, count, begin, end) { \
      const Vector above = load_some(base + dy + at, count, 0); \
      const Vector input = load_some(base + x + at, count, 1), output = load_some(base + y + at, count, 1); \
      put_some(base + dx + at, derivative(name, above, input, output), count, accumulate); \
    } \
  }

#define WITH_DERIVATIVE(kernel, name) \
  void EXPORTED(kernel)( \
      uintptr_t memory, uint32_t y, uint32_t derivative, uint32_t x, uint32_t begin, uint32_t end \
  ) { \
    char *base = (char *)memory; \
    FOR_EACH_VECTOR(at, count, begin, end) { \
      Vector value, slope; \
      both(name, load_some(base + x + at, count, 0), &value, &slope); \
      store_some(base + derivative + at, slope, count); \
      store_some(base + y + at, value, count); \
    } \
  }

UNARY(unaryTanh, TANH)
UNARY(unarySilu, SILU)
UNARY(unaryGelu, GELU)
UNARY(unaryGeluTanh, GELU_TANH)
WITH_DERIVATIVE(geluWithDerivative, GELU)
WITH_DERIVATIVE(geluTanhWithDerivative, GELU_TANH)
