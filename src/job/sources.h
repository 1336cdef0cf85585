/* Agents from elsewhere that a run learns from: whom lives begin as (learner.init_from), and who
 * teaches (learner.teacher). The league's rank finds them and makes files of agon export of them;
 * the run keeps those in players/ and their hashes in its checkpoints, so that it goes on with the
 * very same; all ranks are given them as a job begins. */
#pragma once
#include "job/config.h"
#include "learner/train/state.h"
#include "libagon/format.h"

typedef struct Source {
  char text[OPTION_TEXT]; /* as the configuration names it */
  char hash[HASH_TEXT];
  Bytes file;
} Source;
typedef struct Sources {
  Source *item; /* owned */
  size_t count;
  size_t room;
} Sources;

void sources_free(Sources *sources);
/* All that the settings name. checkpoint, folder: of a run that is gone on with, whose own copies
 * win; NULL: it is new. ERR_USAGE: there is no such agent, or nobody can learn from it as asked;
 * codes of run_read_checkpoint and store_read. *out is the caller's in any case. */
Status sources_gather(const JobConfig *settings, const Tree *checkpoint, const char *folder,
                      Sources *out);
/* Puts the files into the run's folder. */
Status sources_keep(const Sources *sources, const RunFolder *run);
/* The columns sources/text and sources/hash; nothing where there are none. */
Status sources_save(const Sources *sources, Tree *header);
void sources_encode(const Sources *sources, Bytes *out);
Status sources_decode(Sources *out, Reader *reader);
/* NULL: none of that text. */
const Source *sources_find(const Sources *sources, const char *text);

/* What lives begin with; what it points to is its own. */
typedef struct Heritage {
  AgentFile file;
  Inheritance from;
  char told[400]; /* which layers, and which not */
} Heritage;
/* ERR_USAGE: none of its layers fits. heritage_free is due in any case. */
Status heritage_create(const Source *source, const Net *net, Heritage *out);
void heritage_free(Heritage *heritage);

/* A teacher for players of this network; owned by the caller (teacher_destroy). ERR_USAGE: it is of
 * another game, sees or does something else, or remembers. env is borrowed. */
Status teacher_create(const Source *source, const Env *env, const Net *net, Teacher **out);
void teacher_destroy(Teacher *teacher);
