/* The library of frozen policies: it writes each snapshot into a player file of the run folder,
 * once, and lends it out to the actors that meet it. A few blocks stay in memory. */
#pragma once
#include "league/league.h"
#include "league/patience.h"
#include "wire/wire.h"

typedef struct LibrarySetup {
  RunFolder *run;       /* this and the others are borrowed */
  const Tree *header;   /* columns that every player file has: configuration, layers, versions */
  size_t block;         /* floats of a policy */
  Transport *transport; /* over which loans go out */
  Clock clock;
  double patience; /* seconds for which it is tried again to write a snapshot (patience.h) */
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
/* A frozen player whose file has just been written. */
typedef struct Shelved {
  bool written; /* else there is none yet */
  uint32_t player;
  char hash[HASH_TEXT]; /* of its policy: the caller enters it into the league */
} Shelved;
/* Writes a SNAPSHOT that was expected. Fetches that wait for it are answered by library_answer,
 * once the league has the hash. Where the system refuses to write it, it is kept, and still
 * expected. */
Status library_take_snapshot(Library *library, const League *league, Reader *body, Shelved *out);
/* Tries again to write one of those, where it is time. ERR_IO once patience is over. */
Status library_retry(Library *library, const League *league, Shelved *out);
/* Seconds for which snapshots could not be written; 0: nothing is in their way. */
double library_failing(const Library *library);
/* Takes a FETCH of a rank, and answers it if the policy is here. */
Status library_take_fetch(Library *library, const League *league, const Message *message,
                          Reader *body);
/* Answers all fetches but those of snapshots still on their way. */
Status library_answer(Library *library, const League *league);
