#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* The hash of `size` bytes, 128 bits: accidents that give two contents the same one need not be
 * thought of. */
Hash hash_bytes(const void *data, size_t size) {
  XXH128_hash_t hash = XXH3_128bits(data, size);
  return (Hash){hash.low64, hash.high64};
}

HashStream *hash_begin(void) {
  XXH3_state_t *state = XXH3_createState();
  if (state) XXH3_128bits_reset(state);
  return (HashStream *)state;
}

void hash_add(HashStream *stream, const void *data, size_t size) {
  XXH3_128bits_update((XXH3_state_t *)stream, data, size);
}

Hash hash_end(HashStream *stream) {
  XXH128_hash_t hash = XXH3_128bits_digest((XXH3_state_t *)stream);
  XXH3_freeState((XXH3_state_t *)stream);
  return (Hash){hash.low64, hash.high64};
}

/* A hash of two hashes: how a digest over many parts is built up. */
Hash hash_join(Hash a, Hash b) {
  Hash both[2] = {a, b};
  return hash_bytes(both, sizeof both);
}

void hash_text(Hash hash, char text[HASH_TEXT]) {
  snprintf(text, HASH_TEXT, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
}

/* Names of files and settings hold hashes as text; this is asked before one is believed. */
bool hash_text_good(const char *text) {
  return strspn(text, "0123456789abcdef") == HASH_TEXT - 1 && !text[HASH_TEXT - 1];
}

/* The usual loop with a table of 256: the checksum after a byte depends only on the old one's low
 * byte and the byte. Files that ask for it are small. */
uint32_t crc32c(const void *data, size_t size) {
  /* Filled once, from its end: entry 1 is the last that is not 0, and says whether all are set. */
  static uint32_t table[256];
  const uint8_t *byte = data;
  uint32_t crc = UINT32_MAX;
  if (!table[1])
    for (uint32_t i = 256; i-- > 0;) {
      uint32_t left = i;
      for (int bit = 0; bit < 8; bit++)
        left = left >> 1 ^ (left & 1 ? 0x82f63b78u : 0);
      table[i] = left;
    }
  for (size_t i = 0; i < size; i++)
    crc = crc >> 8 ^ table[(crc ^ byte[i]) & 255];
  return ~crc;
}
