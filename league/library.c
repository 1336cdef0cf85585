#include "league/library.h"

#include "base/file.h"
#include "base/invariant.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Policies kept in memory: so many, or one for each learning player. One directive can copy as
 * many, and all of them must be here while it is sent. */
enum { LIBRARY_BLOCKS = 64 };

/* A policy in memory; the one that was not used for longest makes room. */
typedef struct Shelf {
  uint32_t player;
  float *block;  /* (setup.block); NULL: empty */
  uint64_t used; /* of Library.uses, when last */
} Shelf;

typedef struct Loan {
  int rank; /* who has asked */
  uint32_t player;
} Loan;

/* A snapshot that could not be written yet. */
typedef struct Unwritten {
  uint32_t player;
  float *policy; /* (setup.block) owned */
} Unwritten;

struct Library {
  LibrarySetup setup;
  Patience patience; /* with the disk */
  Unwritten *unwritten;
  size_t unwrittens;
  size_t unwritten_room;
  Shelf *shelf; /* (shelves) */
  size_t shelves;
  size_t shelf_room;
  uint64_t uses;
  Loan *loan; /* not yet answered */
  size_t loans;
  size_t loan_room;
  uint32_t *expected; /* snapshots ordered but not yet here */
  size_t expects;
  size_t expect_room;
  WireOut wire;
};

/* On failure nothing is left. */
Status library_create(const LibrarySetup *setup, Library **out) {
  TRY_RETURN(NEW_ARRAY(*out, 1));
  (*out)->setup = *setup;
  (*out)->patience = patience_of(setup->clock, setup->patience);
  return OK;
}

void library_destroy(Library *library) {
  if (!library) return;
  for (size_t i = 0; i < library->shelves; i++)
    free(library->shelf[i].block);
  for (size_t i = 0; i < library->unwrittens; i++)
    free(library->unwritten[i].policy);
  free(library->unwritten);
  free(library->shelf);
  bytes_free(&library->wire.bytes);
  free(library->loan);
  free(library->expected);
  free(library);
}

/* --- in memory --- */
static const float *find_block(Library *library, uint32_t player) {
  for (size_t i = 0; i < library->shelves; i++) {
    Shelf *shelf = &library->shelf[i];
    if (!shelf->block || shelf->player != player) continue;
    shelf->used = ++library->uses;
    return shelf->block;
  }
  return NULL;
}

/* An empty shelf, or the one that was not used for longest. */
static Shelf *shelf_to_fill(Library *library) {
  Shelf *oldest = &library->shelf[0];
  for (size_t i = 0; i < library->shelves; i++) {
    Shelf *shelf = &library->shelf[i];
    if (!shelf->block) return shelf;
    if (shelf->used < oldest->used) oldest = shelf;
  }
  return oldest;
}

static Status keep_block(Library *library, const League *league, uint32_t player,
                         const float *policy, const float **out) {
  const size_t most = league->learning > LIBRARY_BLOCKS ? league->learning : LIBRARY_BLOCKS;
  TRY_RETURN(GROW(library->shelf, library->shelf_room, most));
  if (library->shelves < most) library->shelves = most;
  Shelf *shelf = shelf_to_fill(library);
  if (!shelf->block) TRY_RETURN(NEW_ARRAY(shelf->block, library->setup.block));
  memcpy(shelf->block, policy, library->setup.block * sizeof(float));
  shelf->player = player;
  shelf->used = ++library->uses;
  *out = shelf->block;
  return OK;
}

/* --- in files --- */
Status library_write(Library *library, const League *league, uint32_t player, const float *policy,
                     char hash[HASH_TEXT]) {
  Status status = OK;
  Tree tree = {0};
  const Player *who = &league->player[player];
  const size_t block = library->setup.block;
  const Hash digest = hash_bytes(policy, block * sizeof(float));
  char role[PLAYER_NAME];
  const char *parent = who->parent >= 0 ? league->player[who->parent].name : "";
  const float *kept;
  INVARIANT(who->frozen);
  if (!finite_floats(policy, block))
    return status_set(ERR_INTERNAL,
                      "the weights of %s are not finite: such a player is not frozen; go on from "
                      "the last checkpoint with a lower learner.rate",
                      who->name);
  hash_text(digest, hash);
  text_choice_name(ROLE_NAMES, (int)who->role, role, sizeof role);
  TRY(tree_put_all(&tree, library->setup.header));
  TRY(tree_put(&tree, "policy", STORE_F32, block, 1, policy));
  TRY(tree_put_text(&tree, "@name", who->name));
  TRY(tree_put_text(&tree, "@role", role));
  if (who->side) TRY(tree_put_u64(&tree, "@side", who->side));
  TRY(tree_put_text(&tree, "@parent", parent));
  TRY(tree_put_text(&tree, "@reason", who->reason));
  TRY(tree_put_text(&tree, "@hash", hash));
  TRY(tree_put_u64(&tree, "@frames", who->frames));
  TRY(run_write_player(library->setup.run, who->name, digest, &tree));
  TRY(keep_block(library, league, player, policy, &kept));
done:
  tree_free(&tree);
  return status;
}

/* The file's name has a part of the hash; that its policy has all of it is checked here. */
static Status check_hash(const Player *who, const char *path, const Item *policy) {
  char hash[HASH_TEXT];
  hash_text(hash_bytes(policy->data, policy->count * policy->size), hash);
  if (!strcmp(hash, who->hash)) return OK;
  return status_set(ERR_FORMAT, "%s does not hold the policy that the checkpoint names", path);
}

/* *out: (block) floats, borrowed until other policies push it off the shelf. ERR_FORMAT: the file's
 * policy is not the one that the checkpoint names by its hash. */
Status library_read(Library *library, const League *league, uint32_t player, const float **out) {
  char path[PATH_MAX];
  Tree tree;
  const Item *policy;
  const Player *who = &league->player[player];
  const size_t block = library->setup.block;
  *out = find_block(library, player);
  if (*out) return OK;
  if (who->guest)
    return status_set(ERR_USAGE, "%s is a guest (%.200s), and has no weights of this network",
                      who->name, who->guest);
  TRY_RETURN(text_format(path, sizeof path, "%s/players/%s-%.8s.h5", library->setup.run->path,
                         who->name, who->hash));
  TRY_RETURN(store_read(path, "player", &tree));
  Status status = tree_get(&tree, "policy", STORE_F32, (int64_t)block, &policy);
  if (status == OK) status = check_hash(who, path, policy);
  if (status == OK) status = keep_block(library, league, player, policy->data, out);
  tree_free(&tree);
  return status;
}

/* --- on their way --- */
Status library_expect(Library *library, uint32_t player) {
  TRY_RETURN(GROW(library->expected, library->expect_room, library->expects + 1));
  library->expected[library->expects++] = player;
  return OK;
}

bool library_is_whole(const Library *library) {
  return library->expects == 0;
}

/* Index among the expected, or their count. */
static size_t find_expected(const Library *library, uint32_t player) {
  size_t i = 0;
  while (i < library->expects && library->expected[i] != player)
    i++;
  return i;
}

/* Writes it, or finds out that it cannot be written now. */
static Status shelve(Library *library, const League *league, uint32_t player, const float *policy,
                     Shelved *out) {
  *out = (Shelved){.player = player};
  const Status status = library_write(library, league, player, policy, out->hash);
  TRY_RETURN(
      patience_judge(&library->patience, status, league->player[player].name, &out->written));
  if (!out->written) return OK;
  const size_t at = find_expected(library, player);
  library->expected[at] = library->expected[--library->expects];
  return OK;
}

static Status keep_unwritten(Library *library, uint32_t player, const float *policy) {
  Unwritten kept = {.player = player};
  TRY_RETURN(GROW(library->unwritten, library->unwritten_room, library->unwrittens + 1));
  TRY_RETURN(NEW_ARRAY(kept.policy, library->setup.block));
  memcpy(kept.policy, policy, library->setup.block * sizeof *policy);
  library->unwritten[library->unwrittens++] = kept;
  return OK;
}

Status library_take_snapshot(Library *library, const League *league, Reader *body, Shelved *out) {
  WireFrozen snapshot;
  *out = (Shelved){.written = false};
  TRY_RETURN(frozen_decode(&snapshot, library->setup.block, body));
  if (find_expected(library, snapshot.player) == library->expects)
    return status_set(ERR_FORMAT, "a snapshot, %u, that was not ordered", snapshot.player);
  if (patience_due(&library->patience))
    TRY_RETURN(shelve(library, league, snapshot.player, snapshot.value, out));
  return out->written ? OK : keep_unwritten(library, snapshot.player, snapshot.value);
}

Status library_retry(Library *library, const League *league, Shelved *out) {
  *out = (Shelved){.written = false};
  if (library->unwrittens == 0 || !patience_due(&library->patience)) return OK;
  const Unwritten *next = &library->unwritten[library->unwrittens - 1];
  TRY_RETURN(shelve(library, league, next->player, next->policy, out));
  if (!out->written) return OK;
  free(next->policy);
  library->unwrittens--;
  return OK;
}

double library_failing(const Library *library) {
  return patience_failing(&library->patience);
}

Status library_take_fetch(Library *library, const League *league, const Message *message,
                          Reader *body) {
  WireFetch fetch;
  TRY_RETURN(fetch_decode(&fetch, body));
  if (fetch.player >= league->players || !league->player[fetch.player].frozen)
    return status_set(ERR_FORMAT, "there is no frozen player %u", fetch.player);
  TRY_RETURN(GROW(library->loan, library->loan_room, library->loans + 1));
  library->loan[library->loans++] = (Loan){message->peer, fetch.player};
  return library_answer(library, league);
}

/* A guest's file, of which the run has a copy with the hash that the league knows. */
static Status read_guest(const Library *library, const Player *who, char **bytes, size_t *size) {
  char path[PATH_MAX];
  char hash[HASH_TEXT];
  *bytes = NULL;
  *size = 0;
  if (!run_guest_is_file(who->guest)) return OK;
  TRY_RETURN(run_guest_path(library->setup.run->path, who->guest, who->hash, path, sizeof path));
  TRY_RETURN(file_read(path, bytes, size));
  hash_text(hash_bytes(*bytes, *size), hash);
  if (!strcmp(hash, who->hash)) return OK;
  free(*bytes);
  return status_set(ERR_FORMAT, "%s is not the file that guest %s was when it joined", path,
                    who->name);
}

/* Tells the actor that asked what a guest is: it has no weights. */
static Status introduce(Library *library, const Player *who, const Loan *loan) {
  WireGuest guest = {.player = loan->player};
  char *bytes;
  TRY_RETURN(text_format(guest.name, sizeof guest.name, "%s", who->name));
  TRY_RETURN(text_format(guest.text, sizeof guest.text, "%s", who->guest));
  TRY_RETURN(read_guest(library, who, &bytes, &guest.size));
  guest.bytes = bytes;
  wire_begin(&library->wire, WIRE_GUEST);
  guest_encode(&guest, &library->wire.bytes);
  free(bytes);
  return wire_send(library->setup.transport, loan->rank, &library->wire);
}

/* Sends one frozen policy to the actor that asked. */
static Status lend(Library *library, const League *league, const Loan *loan) {
  const float *policy;
  const Player *who = &league->player[loan->player];
  if (who->guest) return introduce(library, who, loan);
  TRY_RETURN(library_read(library, league, loan->player, &policy));
  wire_begin(&library->wire, WIRE_FROZEN);
  frozen_encode(&(WireFrozen){loan->player, policy}, library->setup.block, &library->wire.bytes);
  return wire_send(library->setup.transport, loan->rank, &library->wire);
}

/* Answers what can be answered. A snapshot that has been ordered but is still on its way from its
 * learner lets its askers wait. */
Status library_answer(Library *library, const League *league) {
  size_t kept = 0;
  for (size_t i = 0; i < library->loans; i++) {
    Loan loan = library->loan[i];
    bool here = find_expected(library, loan.player) == library->expects;
    if (here)
      TRY_RETURN(lend(library, league, &loan));
    else
      library->loan[kept++] = loan;
  }
  library->loans = kept;
  return OK;
}
