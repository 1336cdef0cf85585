/* Branch-free exponentials that compilers vectorise; relative error below 3e-7 (Cephes'
 * polynomial). */
#pragma once
#include <stdint.h>
#include <string.h>

/* e^x = *power (1 + rest): a power of two, and e^r - 1 of what is left, -0.35 <= r <= 0.35. Between
 * e^-87 and e^88; beyond, the nearer of the two. */
static inline float vexp_parts(float x, float *power) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  float shifted = x * 1.44269504088896341f + 12582912.0f; /* rounds to an integer in the low bits */
  int32_t bits;
  memcpy(&bits, &shifted, 4);
  float n = shifted - 12582912.0f;
  float r = x - n * 0.693359375f - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  int32_t scale = (bits - 0x4B400000 + 127) << 23;
  memcpy(power, &scale, 4);
  return p * r * r + r;
}

static inline float vexpf(float x) {
  float power;
  float rest = vexp_parts(x, &power);
  return (rest + 1.0f) * power;
}

/* e^x - 1, exact to the same relative error near 0 too. */
static inline float vexpm1f(float x) {
  float power;
  float rest = vexp_parts(x, &power);
  return rest * power + (power - 1.0f);
}
