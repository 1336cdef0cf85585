#include "actors/options.h"

#include "base/status.h"

const Option actor_options[] = {
    {"slots", OPT_INT, offsetof(ActorConfig, slots), "128", 1, 1 << 23, NULL, "slots",
     "episodes played side by side in the whole job"},
    {"lanes", OPT_INT, offsetof(ActorConfig, lanes), "16", 1, 1 << 20, NULL, "lanes",
     "groups of slots that share a matchup, in the whole job; at least one per actor rank"},
    {"lane_episodes", OPT_INT, offsetof(ActorConfig, lane_episodes), "32", 1, 1 << 20, NULL,
     "episodes",
     "episodes started before a lane draws its next matchup (raised to the lane's slots if "
     "smaller)"},
    {"unroll", OPT_INT, offsetof(ActorConfig, unroll), "32", 1, 4096, NULL, "env steps",
     "steps of every slot in one tick"},
    {"eval_share", OPT_FLOAT, offsetof(ActorConfig, eval_share), "0.0625", 0, 0.9, NULL, "",
     "share of the lanes that play frozen against frozen for the payoff matrix; at least one lane "
     "where "
     "league.main_rule "
     "goes by their games (nash, alpharank)"},
    {"openings", OPT_INT, offsetof(ActorConfig, openings), "0", 0, 1000, NULL, "env steps",
     "episodes begin with 0 to this many uniformly random steps, drawn for each, that nobody "
     "learns from"},
    {"cache", OPT_INT, offsetof(ActorConfig, cache), "64", 2, 1 << 16, NULL, "players",
     "frozen policies kept in memory per actor, each with its parameters twice (as stored, and "
     "packed for the "
     "kernels); those in "
     "use are kept beyond it"},
    {"chunk", OPT_INT, offsetof(ActorConfig, chunk), "256", 1, 65536, NULL, "rows",
     "most rows of one inference"},
};
const size_t actor_option_count = COUNT_OF(actor_options);
