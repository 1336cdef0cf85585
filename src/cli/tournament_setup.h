/* What the commands that play players against each other share: opening runs and players, terms, printing. */
#pragma once
#include "cli/cli.h"
#include "run/view.h"
#include "eval/standing.h"
#include "eval/tournament.h"

#include <jansson.h>

typedef struct TournamentSetup {
  RunView run; /* if `has_run` */
  bool has_run;
  Env *own;            /* if named by --env */
  GameFacts own_facts; /* of it */
  const Env *env;
  Contestant *player;
  size_t players;
  Tournament tournament;
  Fixture *fixture;
  char csv[4096];
} TournamentSetup;

/* `run` may be NULL; env_name may be NULL (the run's, or that of the first RUN:NAME in `lists`); options: of env_name.
 * lists: comma-separated players, one after another. MPI is started when a launcher started this process. */
typedef struct TournamentRequest {
  const char *run, *env_name, *lists[3];
  const char *const *env_options;
  size_t env_option_count;
  bool greedy;
  long long openings, seed;
  const char *csv; /* NULL: RUN/games.csv if there is a run; "none" */
} TournamentRequest;
/* counts[i]: players of lists[i]. Reads the games that were played before under the same terms. */
Status setup_open(const TournamentRequest *request, TournamentSetup *out, size_t counts[3]);
Status setup_add(TournamentSetup *arena, uint32_t a, uint32_t b); /* a fixture, once */
/* Collective. On failure of one rank the whole job ends. */
Status setup_play(TournamentSetup *arena);
void setup_close(TournamentSetup *arena);
bool setup_speaks(const TournamentSetup *arena); /* rank 0 */

/* Two players between whom nothing is random: what their games are worth, and what to do. */
void print_fixed(const char *a, const char *b);
void print_standing(const Standing *standing, size_t most);
json_t *json_standing(const Standing *standing);
