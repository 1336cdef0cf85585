#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

Hash hash_bytes(const void *data, size_t size) {
  XXH128_hash_t hash = XXH3_128bits(data, size);
  return (Hash){hash.low64, hash.high64};
}

Hash hash_join(Hash a, Hash b) {
  Hash both[2] = {a, b};
  return hash_bytes(both, sizeof both);
}

void hash_text(Hash hash, char text[HASH_TEXT]) {
  snprintf(text, HASH_TEXT, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
}

bool hash_text_good(const char *text) {
  return strspn(text, "0123456789abcdef") == HASH_TEXT - 1 && !text[HASH_TEXT - 1];
}

uint32_t crc32c(const void *data, size_t size) {
  static uint32_t table[256]; /* by the byte that leaves; filled from its end, so that entry 1 says whether it is */
  const uint8_t *byte = data;
  uint32_t crc = UINT32_MAX;
  if (!table[1])
    for (uint32_t i = 256; i-- > 0;) {
      uint32_t left = i;
      for (int bit = 0; bit < 8; bit++) left = left >> 1 ^ (left & 1 ? 0x82f63b78u : 0);
      table[i] = left;
    }
  for (size_t i = 0; i < size; i++) crc = crc >> 8 ^ table[(crc ^ byte[i]) & 255];
  return ~crc;
}
