/* The table of commands, in the order in which they are listed: a file and a line each. */
#include "cli/cli.h"

#define COMMANDS(EACH)                                                                             \
  EACH(train)                                                                                      \
  EACH(sweep)                                                                                      \
  EACH(eval)                                                                                       \
  EACH(match)                                                                                      \
  EACH(rate)                                                                                       \
  EACH(report)                                                                                     \
  EACH(compare)                                                                                    \
  EACH(query)                                                                                      \
  EACH(export)                                                                                     \
  EACH(play)                                                                                       \
  EACH(replay)                                                                                     \
  EACH(exploit)                                                                                    \
  EACH(probe)                                                                                      \
  EACH(tabular)                                                                                    \
  EACH(dynamics)                                                                                   \
  EACH(league)                                                                                     \
  EACH(env)                                                                                        \
  EACH(config)                                                                                     \
  EACH(bench)                                                                                      \
  EACH(status)                                                                                     \
  EACH(watch)                                                                                      \
  EACH(stop)                                                                                       \
  EACH(checkpoint)                                                                                 \
  EACH(doctor)                                                                                     \
  EACH(version)                                                                                    \
  EACH(help)                                                                                       \
  /* any line goes by itself */

#define DECLARE(name) extern const Command command_##name;
#define ADDRESS(name) &command_##name,

COMMANDS(DECLARE)
const Command *const commands[] = {COMMANDS(ADDRESS)};
const size_t command_count = COUNT_OF(commands);
