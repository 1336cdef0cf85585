/* Checkpoints: a cut is announced in a table, so that every role makes it at the same tick; the
 * league's own part is captured when that tick is merged, and the members' parts arrive in pieces.
 * When all are here they are held against each other, and written as one file. Here is also what a
 * job reads of the checkpoint that it goes on from. */
#pragma once
#include "base/clock.h"
#include "league/curriculum.h"
#include "league/ledger.h"
#include "league/members.h"
#include "league/patience.h"

/* How far a run is, all its jobs together. */
typedef struct RunPosition {
  uint64_t tick;             /* the next to complete */
  uint64_t frames;           /* decisions to learn from */
  uint64_t frozen_decisions; /* the others */
  uint64_t steps;            /* of envs */
  uint64_t episodes;         /* that ended */
  uint64_t checkpoint_tick;  /* the tick after the last cut */
  uint64_t end_tick;         /* the run's last one, known once the frames are done; else NEVER */
  double seconds;            /* trained */
} RunPosition;
#define NEVER UINT64_MAX

/* --- reading --- */
/* Where the run of a checkpoint stood. ERR_FORMAT for what no run can have reached. */
Status checkpoint_position(const Tree *checkpoint, RunPosition *out);
/* Whether its run came to its end at `frames` or more: nothing is left to be played. */
Status checkpoint_finished(const Tree *checkpoint, int64_t frames, bool *out);
/* Calls `take` for each lane of a checkpoint, in the order of ids; bytes are borrowed. folder:
 * "lanes". ERR_FORMAT: it is damaged. */
typedef Status TakeLane(void *context, uint32_t lane, const uint8_t *bytes, size_t size);
Status checkpoint_each_lane(const Tree *tree, const char *folder, TakeLane *take, void *context);
/* Gives the members of this job what a checkpoint holds of their lanes and players. What was kept
 * of experience is not in it then: it is too long to be held for the whole job. */
Status checkpoint_restore(Tree *checkpoint, const League *league, Members *members);

/* --- the open cut --- */
typedef struct CheckpointSetup {
  RunFolder *run;               /* this and the header are borrowed */
  const Curriculum *curriculum; /* borrowed; NULL: none */
  const Tree *header; /* columns that every checkpoint has: configuration, layers, versions */
  size_t keep;        /* newest generations kept */
  Clock clock;
  double patience; /* seconds for which it is tried again to write one (patience.h) */
  size_t actors;
  size_t keepers;      /* learners that each send what they keep of a player; 0: none is kept */
  uint64_t generation; /* of the checkpoint that the job goes on from */
  /* ERR_FORMAT unless a learner could go on from a player's state: what is written can be resumed.
   * May be NULL. */
  Status (*check_state)(void *context, const Tree *state);
  void *context;
} CheckpointSetup;

typedef struct Checkpoint Checkpoint;
/* resume: the checkpoint that the job goes on from, with the league and the position read from it;
 * or NULL. ERR_FORMAT if it does not add up. */
Status checkpoint_create(const CheckpointSetup *setup, const Tree *resume, const League *league,
                         const RunPosition *position, Checkpoint **out);
void checkpoint_destroy(Checkpoint *checkpoint);

/* What the tick machine must know of the cut that is open, or was last. */
typedef struct Cut {
  bool open;
  bool captured; /* the league's own part is in it */
  bool stop;     /* the job ends with it */
  bool end;      /* so does the run: its mains are frozen, and nothing is left to be played */
  uint64_t tick;
} Cut;
const Cut *checkpoint_cut(const Checkpoint *checkpoint);
/* Opens a cut at a tick; none is open. players: that learners will send the states of. */
void checkpoint_open(Checkpoint *checkpoint, uint64_t tick, bool stop, bool end, size_t players);
/* The league's own part, as it is now; tables: what timetable_encode gives. */
Status checkpoint_capture(Checkpoint *checkpoint, const League *league, const RunPosition *position,
                          const Bytes *tables);
/* Takes a piece of an actor's, of a learner's state. ERR_FORMAT unless the open cut lacks it. */
Status checkpoint_take_actor(Checkpoint *checkpoint, const Members *members, const Message *message,
                             Reader *body);
Status checkpoint_take_learner(Checkpoint *checkpoint, const League *league, const Members *members,
                               const Message *message, Reader *body);
/* A piece of what a learner keeps of a player's experience. */
Status checkpoint_take_replay(Checkpoint *checkpoint, const League *league, const Members *members,
                              const Message *message, Reader *body);
/* A snapshot that was written after the cut was captured: the cut knows the player, but not yet
 * the hash of its policy. */
void checkpoint_name_policy(Checkpoint *checkpoint, uint32_t player, const char *hash);
/* Whether all pieces of the open cut are here. */
bool checkpoint_is_whole(const Checkpoint *checkpoint);
/* Writes it as the next generation, and closes the cut: *written. Where the system refuses that,
 * the cut stays open and whole, to be written by a later call; ERR_IO once patience is over.
 * ERR_FORMAT, naming the rank at fault, if the parts contradict each other: then nothing is
 * written. */
Status checkpoint_write(Checkpoint *checkpoint, const League *league, const Members *members,
                        bool *written);
/* Seconds for which it could not be written; 0: nothing is in its way. */
double checkpoint_failing(const Checkpoint *checkpoint);

/* Counts the games of results that the payoff has no place for. */
void checkpoint_count(Checkpoint *checkpoint, const Results *results);
/* In the deterministic paces: ERR_FORMAT for results of a tick after the cut, from an actor that
 * has not sent its state. */
Status checkpoint_check_order(const Checkpoint *checkpoint, const Results *results);
uint64_t checkpoint_generation(const Checkpoint *checkpoint); /* the newest that this job knows */
double checkpoint_seconds(const Checkpoint *checkpoint);      /* spent writing in this job */
double checkpoint_age(
    const Checkpoint *checkpoint); /* seconds since the last, or the job's begin */
