/*
 * Vectors of LANES numbers, which the compiler turns into the instructions of one CPU. Each source file is compiled
 * once per CPU: with LANES 16 for AVX-512, 8 for AVX2, 4 for the plain instructions that every CPU has (SSE2, NEON).
 *
 * A lane computes what one number would. So the bits of a result do not depend on LANES, as long as lanes are never
 * combined, and as long as the compiler does not fuse a product and a sum into one rounding: -ffp-contract=off.
 */
#ifndef NOPEEK_VECTOR_H
#define NOPEEK_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if LANES > 4
#include <immintrin.h>
#endif

#ifdef __FAST_MATH__
#error "the bits of the results would differ: compile without -ffast-math"
#endif

typedef float Vector __attribute__((vector_size(4 * LANES)));

#define INLINE static inline __attribute__((always_inline))

/* The name that a function has for this CPU: gemm_avx512, gemm_avx2, gemm_plain. */
#define JOIN_(name, suffix) name##_##suffix
#define JOIN(name, suffix) JOIN_(name, suffix)
#define EXPORTED(name) JOIN(name, SUFFIX)

/* memcpy is how C reads a vector that may begin at any number. It compiles to one instruction. */
INLINE Vector load(const char *at) {
  Vector vector;
  memcpy(&vector, at, sizeof vector);
  return vector;
}

INLINE void store(char *at, Vector vector) { memcpy(at, &vector, sizeof vector); }

INLINE float load_one(const char *at) {
  float number;
  memcpy(&number, at, sizeof number);
  return number;
}

INLINE void store_one(char *at, float number) { memcpy(at, &number, sizeof number); }

INLINE Vector splat(float number) { return number - (Vector){0}; }

/* The first `count` lanes, for the end of a run; the others are `fill`. Not inlined, so that loops stay short. */
static __attribute__((noinline, unused)) Vector load_part(const char *at, size_t count, float fill) {
  Vector vector = splat(fill);
  memcpy(&vector, at, 4 * count);
  return vector;
}

static __attribute__((noinline, unused)) void store_part(char *at, Vector vector, size_t count) {
  memcpy(at, &vector, 4 * count);
}

/* Loads the first `count` lanes, at most LANES; the others are `fill`. */
INLINE Vector load_some(const char *at, size_t count, float fill) {
  return count == LANES ? load(at) : load_part(at, count, fill);
}

/* Stores the first `count` lanes, at most LANES. */
INLINE void store_some(char *at, Vector vector, size_t count) {
  if (count == LANES) store(at, vector);
  else store_part(at, vector, count);
}

/* Stores the first `count` lanes, or adds them to the numbers already there. */
INLINE void put_some(char *at, Vector vector, size_t count, int accumulate) {
  store_some(at, accumulate ? load_some(at, count, 0) + vector : vector, count);
}

/* The bits of each lane. A comparison sets all of them, or none. */
typedef uint32_t Bits __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));

/* `yes` in the lanes whose bits are set, `no` in the others. */
INLINE Vector choose(Bits bits, Vector yes, Vector no) { return (Vector)((bits & (Bits)yes) | (~bits & (Bits)no)); }

/*
 * `yes` in the lanes where a < b, `no` in the others; and WebAssembly's pmin and pmax: a, unless b is less, or more. So
 * NaN in b is ignored. x86-64 has instructions for them, which compilers do not recognize in `choose`.
 */
#if LANES == 16
INLINE Vector if_less(Vector a, Vector b, Vector yes, Vector no) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}
INLINE Vector pmin(Vector a, Vector b) { return _mm512_min_ps(b, a); }
INLINE Vector pmax(Vector a, Vector b) { return _mm512_max_ps(b, a); }
INLINE Vector square_root(Vector x) { return _mm512_sqrt_ps(x); }
#elif LANES == 8
INLINE Vector if_less(Vector a, Vector b, Vector yes, Vector no) {
  return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
INLINE Vector pmin(Vector a, Vector b) { return _mm256_min_ps(b, a); }
INLINE Vector pmax(Vector a, Vector b) { return _mm256_max_ps(b, a); }
INLINE Vector square_root(Vector x) { return _mm256_sqrt_ps(x); }
#else
INLINE Vector if_less(Vector a, Vector b, Vector yes, Vector no) { return choose((Bits)(a < b), yes, no); }
INLINE Vector pmin(Vector a, Vector b) { return if_less(b, a, b, a); }
INLINE Vector pmax(Vector a, Vector b) { return if_less(a, b, b, a); }
INLINE Vector square_root(Vector x) {
  for (int lane = 0; lane < LANES; lane++) x[lane] = __builtin_sqrtf(x[lane]);
  return x;
}
#endif

/* first, first + 1, … */
INLINE Bits indices_from(uint32_t first) {
  static const uint32_t lanes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  Bits indices;
  memcpy(&indices, lanes, sizeof indices);
  return indices + first;
}

INLINE Vector magnitude(Vector x) { return (Vector)((Bits)x & 0x7fffffff); }

/* Four numbers, for transposing blocks of 4 × 4. Moves numbers only. */
typedef float Four __attribute__((vector_size(16)));

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#endif
#endif
#ifndef SHUFFLE
typedef int32_t FourIndices __attribute__((vector_size(16)));
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (FourIndices){i, j, k, l})
#endif

INLINE Four load_four(const char *at) {
  Four four;
  memcpy(&four, at, sizeof four);
  return four;
}

/* Loads the first 1 … 3 of four numbers; the others are `fill`. */
INLINE Four load_part_of_four(const char *at, size_t count, float fill) {
  Four four = {load_one(at), fill, fill, fill};
  if (count > 1) four[1] = load_one(at + 4);
  if (count > 2) four[2] = load_one(at + 8);
  return four;
}

INLINE void store_four(char *at, Four four) { memcpy(at, &four, sizeof four); }

/* Copies 4 lanes, each contiguous in k, to `pitch` bytes per k. */
INLINE void transpose_four(char *to, size_t pitch, const char *from, size_t lane, size_t inner) {
  size_t k = 0;
  for (; k + 4 <= inner; k += 4, from += 16, to += 4 * pitch) {
    const Four a = load_four(from), b = load_four(from + lane);
    const Four c = load_four(from + 2 * lane), d = load_four(from + 3 * lane);
    const Four low_ab = SHUFFLE(a, b, 0, 4, 1, 5), low_cd = SHUFFLE(c, d, 0, 4, 1, 5);
    const Four high_ab = SHUFFLE(a, b, 2, 6, 3, 7), high_cd = SHUFFLE(c, d, 2, 6, 3, 7);
    store_four(to, SHUFFLE(low_ab, low_cd, 0, 1, 4, 5));
    store_four(to + pitch, SHUFFLE(low_ab, low_cd, 2, 3, 6, 7));
    store_four(to + 2 * pitch, SHUFFLE(high_ab, high_cd, 0, 1, 4, 5));
    store_four(to + 3 * pitch, SHUFFLE(high_ab, high_cd, 2, 3, 6, 7));
  }
  for (; k < inner; k++, from += 4, to += pitch)
    for (size_t r = 0; r < 4; r++) store_one(to + 4 * r, load_one(from + r * lane));
}

INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* For numbers begin … end−1, a vector at a time: `at` is the offset in bytes, `count` how many numbers are left, up to LANES. */
#define FOR_EACH_VECTOR(at, count, begin, end) \
  for (size_t at = 4 * (size_t)(begin), count; \
       at < 4 * (size_t)(end) && (count = least(LANES, (size_t)(end)-at / 4)); at += 4 * LANES)

#endif
