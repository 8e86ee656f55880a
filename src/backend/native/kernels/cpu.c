/*
 * Which of the compiled variants this CPU can run. Asks the CPU itself, because the library that Zig links has a
 * __builtin_cpu_supports that reports nothing.
 */
#include <stdint.h>
#if defined(__x86_64__)
#include <cpuid.h>

/* Registers that the system saves when it switches threads, a bit for each kind. */
enum { YMM = 0x06, ZMM = 0xe6 };

static uint32_t saved_registers(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
  __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return a;
}
#endif

/* 2: AVX-512, 1: AVX2, 0: only what every CPU of its kind has. */
int32_t widest_vectors(void) {
#if defined(__x86_64__)
  uint32_t a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  const uint32_t saved = saved_registers();
  if ((b & bit_AVX512F) && (saved & ZMM) == ZMM) return 2;
  if ((b & bit_AVX2) && (saved & YMM) == YMM) return 1;
#endif
  return 0;
}
