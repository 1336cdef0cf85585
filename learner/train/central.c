#include "learner/train/central.h"

static Status init_critic(const AlgoPart *part, AgonRng *rng, float *block) {
  return critic_init(part->made, rng, block);
}

static void destroy_critic(void *made) {
  critic_destroy(made);
}

/* The global state is the same for all teams, and what it is worth is not: where there are several
 * the critic is always told whose it is, and reads the state of each through weights of its own. A
 * one-hot alone would leave it to learn a product: slowly. */
static CriticShape shape_of(const Algo *algo, const CentralConfig *config, size_t choices) {
  const RowFormat *format = &algo->format;
  const size_t teams = format_teams(format, NULL);
  const size_t global = config->input == SEES_OWN ? 0 : format->global;
  return (CriticShape){
      .agents = format_cells(format),
      .state = teams * global + config->time + (teams > 1 ? teams : 0),
      .observation = config->input == SEES_STATE ? 0 : algo->net->observation_count,
      .observation_type = algo->net->observation_type,
      .agent_id = config->id,
      .alive = config->alive,
      .choices = choices,
  };
}

Status central_critic(Algo *algo, const CentralConfig *config, size_t choices) {
  const size_t teams = format_teams(&algo->format, NULL);
  const CriticShape shape = shape_of(algo, config, choices);
  NetConfig net = algo->net->config;
  Critic *critic;
  if (config->hidden.count) net.hidden = config->hidden;
  net.memory = 0;
  net.normalise_observations = false;
  net.normalise_returns = config->normalise;
  TRY_RETURN(critic_create(&net, &shape, &critic));
  algo->part[algo->parts] = (AlgoPart){.name = "critic",
                                       .floats = critic->block,
                                       .trained = critic->graph.params,
                                       .init = init_critic,
                                       .graph = &critic->graph,
                                       .made = critic,
                                       .destroy = destroy_critic};
  algo->critic = critic;
  algo->critic_time = config->time;
  algo->sides = teams > 1 ? teams : 0;
  algo->critic_part = algo->parts++;
  return OK;
}
