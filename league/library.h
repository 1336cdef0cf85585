/* The library of frozen policies: it writes each snapshot into a player file of the run folder,
 * once, and lends it out to the actors that meet it. A few blocks stay in memory. */
#pragma once
#include "league/league.h"
#include "wire/wire.h"

typedef struct LibrarySetup {
  RunFolder *run;       /* this and the others are borrowed */
  const Tree *header;   /* columns that every player file has: configuration, layers, versions */
  size_t block;         /* floats of a policy */
  Transport *transport; /* over which loans go out */
} LibrarySetup;

typedef struct Library Library;
Status library_create(const LibrarySetup *setup, Library **out);
void library_destroy(Library *library);

/* Writes the file of a frozen player. `hash`: of the policy; the caller enters it into the league,
 * by which the file is found again. */
Status library_write(Library *library, const League *league, uint32_t player, const float *policy,
                     char hash[HASH_TEXT]);
/* A frozen player's policy, from memory or from its file; borrowed until as many more as
 * players learn have been looked at. ERR_FORMAT if the file does not hold the policy that the
 * league names. */
Status library_read(Library *library, const League *league, uint32_t player, const float **out);

/* A snapshot of this player has been ordered: whoever asks for it waits until it is here. */
Status library_expect(Library *library, uint32_t player);
bool library_is_whole(const Library *library); /* no ordered snapshot is on its way */
/* Writes a SNAPSHOT that was expected; *player and `hash` as library_write's. Fetches that wait for
 * it are answered by library_answer, once the league has the hash. */
Status library_take_snapshot(Library *library, const League *league, Reader *body, uint32_t *player,
                             char hash[HASH_TEXT]);
/* Takes a FETCH of a rank, and answers it if the policy is here. */
Status library_take_fetch(Library *library, const League *league, const Message *message,
                          Reader *body);
/* Answers all fetches but those of snapshots still on their way. */
Status library_answer(Library *library, const League *league);
