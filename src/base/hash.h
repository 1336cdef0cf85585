/* Content hashes: XXH3-128 (the xxHash library). They tell contents apart and find damage; they are
 * not a signature. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Hash {
  uint64_t low, high;
} Hash;

#define HASH_TEXT 33
Hash hash_bytes(const void *data, size_t size);
/* The same of bytes that come one behind another. begin: NULL without memory; end gives it back. */
typedef struct HashStream HashStream;
HashStream *hash_begin(void);
void hash_add(HashStream *stream, const void *data, size_t size);
Hash hash_end(HashStream *stream);
Hash hash_join(Hash a, Hash b);                  /* order matters */
void hash_text(Hash hash, char text[HASH_TEXT]); /* 32 hex digits */
bool hash_text_good(const char *text);           /* whether it is what hash_text writes */

/* CRC-32C (Castagnoli 1993; RFC 3720 has its known answers), for file formats that ask for it. */
uint32_t crc32c(const void *data, size_t size);
