/* Which of the compiled variants this CPU can run. */
#include <stdint.h>

/* 2: AVX-512, 1: AVX2, 0: only what every CPU of its kind has. */
int32_t widest_vectors(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return 2;
  if (__builtin_cpu_supports("avx2")) return 1;
#endif
  return 0;
}
