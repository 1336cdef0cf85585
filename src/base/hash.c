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
