/* The table of algorithms, one line each, and the options that all of them share. */
#include "learner/algos/algo.h"

#include <string.h>

/* The first is the default of learner.algorithm. An algorithm that goes takes its line with it. */
#define ALGORITHMS(EACH)                                                                           \
  EACH(ppo)                                                                                        \
  EACH(impala)                                                                                     \
  EACH(mmd)                                                                                        \
  EACH(mappo)                                                                                      \
  EACH(coma)                                                                                       \
  EACH(iql)                                                                                        \
  EACH(vdn)                                                                                        \
  EACH(qmix)                                                                                       \
  EACH(qplex)                                                                                      \
  EACH(wqmix)                                                                                      \
  EACH(maddpg)                                                                                     \
  EACH(matd3)                                                                                      \
  EACH(lola)                                                                                       \
  /* any line goes by itself */

#define DECLARE(name) extern const AlgoOps algo_##name;
#define ADDRESS(name) &algo_##name,
#define QUOTED(name) #name,
#define OR_NAME(name) "|" #name
#define FIRST(first, ...) first
#define FIRST_OF(...) FIRST(__VA_ARGS__)

ALGORITHMS(DECLARE)
static const AlgoOps *const table[] = {ALGORITHMS(ADDRESS)};

const AlgoOps *algo_ops(size_t index) {
  return index < COUNT_OF(table) ? table[index] : NULL;
}

const AlgoOps *algo_find(const char *name) {
  for (size_t i = 0; i < COUNT_OF(table); i++)
    if (!strcmp(table[i]->name, name)) return table[i];
  return NULL;
}

const Option learn_options[] = {
    {"algorithm", OPT_CHOICE, offsetof(LearnConfig, algorithm), FIRST_OF(ALGORITHMS(QUOTED)), 0, 0,
     &(ALGORITHMS(OR_NAME))[1], "", "how updates are computed"},
    {"gamma", OPT_FLOAT, offsetof(LearnConfig, gamma), "0.99", 0, 1, NULL, "",
     "discount per own decision; where rows are of whole teams, per step at which any of the team "
     "acts"},
    {"lambda", OPT_FLOAT, offsetof(LearnConfig, lambda), "0.95", 0, 1, NULL, "",
     "of GAE, or of the V-trace coefficients"},
    {"rate", OPT_FLOAT, offsetof(LearnConfig, rate), "0.0005", 0, 1, NULL, "",
     "Adam's learning rate at the start"},
    {"rate_end", OPT_FLOAT, offsetof(LearnConfig, rate_end), "0.0001", 0, 1, NULL, "",
     "learning rate at the end: of the run; for players that are reset (league.*_reset), of their "
     "life, which is "
     "league.*_snapshot_max frames over the probability of the reset"},
    {"decay", OPT_CHOICE, offsetof(LearnConfig, decay), "linear", 0, 0, "linear|geometric|root", "",
     "how what has a start and an end goes from one to the other, over the run's frames, or a "
     "life's as for rate_end; "
     "geometric, and root (as 1 / sqrt(time)), "
     "where both are above 0"},
    {"epsilon", OPT_FLOAT, offsetof(LearnConfig, epsilon), "0.00001", 1e-12, 1, NULL, "",
     "Adam's epsilon"},
    {"clip_norm", OPT_FLOAT, offsetof(LearnConfig, clip_norm), "0.5", 0, OPTION_NO_LIMIT, NULL, "",
     "largest global gradient norm; 0 = no clipping"},
    {"on_nan", OPT_CHOICE, offsetof(LearnConfig, on_nan), "stop", 0, 0, "stop|skip", "",
     "where a loss, a gradient, an advantage or a normaliser is not finite, or too large for "
     "Adam: the job ends and says whose it is, or (skip) the player is left as it was, with a "
     "warning, and PLAYER/skipped counts the steps"},
    {"entropy", OPT_FLOAT, offsetof(LearnConfig, entropy), "0.01", 0, 10, NULL, "",
     "weight of the entropy bonus at the start"},
    {"entropy_end", OPT_FLOAT, offsetof(LearnConfig, entropy_end), "0.005", 0, 10, NULL, "",
     "weight of the entropy bonus at the end"},
    {"value_weight", OPT_FLOAT, offsetof(LearnConfig, value_weight), "0.5", 0, 100, NULL, "",
     "weight of the value loss"},
    {"reference", OPT_FLOAT, offsetof(LearnConfig, reference), "0", 0, 100, NULL, "",
     "weight of the KL to the reference policy at the start"},
    {"reference_end", OPT_FLOAT, offsetof(LearnConfig, reference_end), "0", 0, 100, NULL, "",
     "weight of the KL to the reference policy at the end"},
    {"reference_every", OPT_INT, offsetof(LearnConfig, reference_every), "0", 0, OPTION_NO_LIMIT,
     NULL, "updates",
     "the reference becomes the present policy (the average, where one is kept) every so often; 0 "
     "= it stays the "
     "initial one"},
    {"reference_burn", OPT_INT, offsetof(LearnConfig, reference_burn), "8", 0, 4096, NULL,
     "decisions",
     "recurrent nets: in so many at the beginning of an unroll (at most half of it; none where an "
     "episode begins) the "
     "reference only gathers memory; the others pull the more"},
    {"teacher", OPT_TEXT, offsetof(LearnConfig, teacher), "", 0, 0, NULL, "",
     "an agent that is asked what it would do in each decision, and that the player is pulled to: "
     "RUN:PLAYER, a player's FILE.h5, or FILE.agon of agon export; of ppo, mappo, impala and mmd"},
    {"teacher_kl", OPT_FLOAT, offsetof(LearnConfig, teacher_kl), "1", 0, 100, NULL, "",
     "weight of KL(teacher || policy) at the start"},
    {"teacher_kl_end", OPT_FLOAT, offsetof(LearnConfig, teacher_kl_end), "0", 0, 100, NULL, "",
     "weight of KL(teacher || policy) at the end"},
    {"init_from", OPT_TEXT, offsetof(LearnConfig, init_from), "", 0, 0, NULL, "",
     "an agent that all lives begin as, layer by layer, where name and shape are the same: "
     "RUN:PLAYER, FILE.h5 or FILE.agon (agon train --init-from); what does not fit begins at "
     "random"},
    {"average", OPT_FLOAT, offsetof(LearnConfig, average), "0", 0, 0.99999, NULL, "",
     "decay per update of an average of the weights (Polyak), from which snapshots are frozen; 0 = "
     "from the weights"},
    {"normalise_advantages", OPT_CHOICE, offsetof(LearnConfig, normalise_advantages), "auto", 0, 0,
     "false|true|auto", "",
     "over the batch, to mean 0 and deviation 1; auto: as the algorithm was published (ppo, mappo, "
     "mmd: true; impala: false). Not read by coma and lola"},
    {"return_decay", OPT_FLOAT, offsetof(LearnConfig, return_decay), "0.98", 0, 0.99999, NULL, "",
     "net.normalise_returns: what the running moments of value targets keep with each update"},
    {"ranks", OPT_INT, offsetof(LearnConfig, ranks), "0", 0, 65536, NULL, "ranks",
     "learner ranks, which share every batch; 0 = auto: as many as pay, by the network's "
     "arithmetic"},
    {"groups", OPT_INT, offsetof(LearnConfig, groups), "0", 0, 64, NULL, "groups",
     "of learner ranks, to which players are dealt out; must divide learner.ranks; 0 = 1: all "
     "ranks share all players"},
    {"max_lag", OPT_INT, offsetof(LearnConfig, max_lag), "2", 1, 1000, NULL, "ticks",
     "pace free: ticks that an actor may be ahead; older decisions are dropped, but for those that "
     "an episode's end "
     "closes"},
};
const size_t learn_option_count = COUNT_OF(learn_options);
