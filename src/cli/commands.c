/* The table of commands: one line each. */
#include "cli/cli.h"

const Command *const commands[] = {
    &command_train,  &command_eval, &command_match,      &command_rate,    &command_report,
    &command_query,  &command_play, &command_replay,     &command_exploit, &command_probe,
    &command_league, &command_env,  &command_config,     &command_bench,   &command_status,
    &command_watch,  &command_stop, &command_checkpoint, &command_version, &command_help,
};
const size_t command_count = COUNT_OF(commands);
