/* What the commands that play players against each other share: opening runs and players, terms,
 * printing. */
#pragma once
#include "cli/cli.h"
#include "run/view.h"
#include "eval/standing.h"
#include "eval/tournament.h"

#include <jansson.h>

/* A tournament with everything it plays with. The tournament inside borrows env, players and
 * fixtures from here. */
typedef struct TournamentSetup {
  RunView run; /* if `has_run` */
  bool has_run;
  Env *own;            /* if named by --env */
  GameFacts own_facts; /* of it */
  const Env *env;      /* `own`, or the run's */
  Contestant *player;  /* (players) of all lists, one after another */
  size_t players;
  Tournament tournament;
  Fixture *fixture; /* what is to be played, each pair once */
  char csv[4096];   /* file of results; "": none */
} TournamentSetup;

/* `run` may be NULL; env_name may be NULL (the run's, or that of the first RUN:NAME in `lists`);
 * options: of env_name. lists: comma-separated players, one after another. MPI is started when a
 * launcher started this process. */
typedef struct TournamentRequest {
  const char *run;
  const char *env_name;
  const char *lists[3];
  const char *const *env_options;
  size_t env_option_count;
  bool greedy;
  long long openings; /* uniformly random first steps of each game */
  long long seed;
  const char *csv; /* NULL: RUN/games.csv if there is a run; "none" */
  /* Where lists[0] is NULL, the run's mains and the built-in players that can play the game take
   * its place. */
  bool defaults;
} TournamentRequest;

/* How the returns of the game's team are told: as the run has it, else as is the game's custom. */
ReturnTold setup_told(const TournamentSetup *arena);
/* Opens env and players, and reads the games that were played before under the same terms.
 * counts[i]: players of lists[i]. The caller closes *out; after a failure it is closed already.
 * ERR_USAGE where nothing says what is played, a player is named twice, or the file has games of
 * another build of the plug-in; else the codes of what could not be opened. */
Status setup_open(const TournamentRequest *request, TournamentSetup *out, size_t counts[3]);
/* Adds a fixture between two players, in either order, unless it is there. ERR_MEMORY. */
Status setup_add(TournamentSetup *arena, uint32_t a, uint32_t b);
/* Collective. On failure of one rank the whole job ends. */
Status setup_play(TournamentSetup *arena);
/* Frees all of it; may be called again. */
void setup_close(TournamentSetup *arena);
/* Whether this rank is the one that prints: rank 0. */
bool setup_speaks(const TournamentSetup *arena);

/* Two players between whom nothing is random: what their games are worth, and what to do. */
void print_fixed(const char *a, const char *b, const Tally seat[SEATS]);
/* The standing as a table on standard output: at most so many players, best first. */
void print_standing(const Standing *standing, size_t most);
/* The same, with all players, as JSON, which the caller owns. */
json_t *json_standing(const Standing *standing);
