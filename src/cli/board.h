/* The game on the table: opening what is to be played, and showing a position to a person. */
#pragma once
#include "cli/cli.h"
#include "eval/line.h"
#include "run/view.h"

/* The game that a command plays: `env` with its options, words first_option and on, or (env NULL)
 * that of the run. *out is borrowed: from *own, which the caller then destroys, or from *loaded,
 * which the caller closes; both begin empty and may be freed so after a failure too. ERR_USAGE
 * where neither is named or an option is none, and the codes of env_create_from and run_view_open.
 */
Status open_game(const Command *command, const Arguments *arguments, const char *env,
                 const char *run, size_t first_option, RunView *loaded, Env **own, const Env **out);
/* Prints the position's picture (eval/picture.h), each line behind `indent`. */
void board_show(const Position *position, const char *indent, bool unicode);
/* "agent 2, predator_2" where agents have names that say more than their number; returns `out`. */
const char *board_agent_text(const Env *env, uint32_t agent, char out[96]);
/* One team: the mean over its agents of what they have got so far. */
double board_team_return(const Position *position);
/* The same as it is told in this game: "-23.4, sum over 3 agents"; returns `out`. */
const char *board_returns_text(const Position *position, char *out, size_t size);
/* One team: a line with the rewards of the last step, and what the team has earned so far; nothing
 * where there are several. */
void board_show_gains(const Position *position, const char *indent);
/* What one agent observes, element by element, leaving out those that are 0. */
void board_show_view(const Position *position, uint32_t agent);
