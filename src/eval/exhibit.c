#include "eval/exhibit.h"

#include <stdio.h>
#include <stdlib.h>

/* The episode under way. Each team has an agent of its own, who remembers what that team saw. */
typedef struct Exhibit {
  const Env *env;
  const ExhibitPlan *plan;
  Position position;
  Agent *agent;            /* (teams) */
  const Thought **thought; /* (teams) what its acting agents would do */
  size_t *thoughts;        /* (teams) */
} Exhibit;

/* Before each complete step everybody's memory moves on, with what is about to be done. */
static Status on_stepping(void *context, const Position *position) {
  const Exhibit *exhibit = context;
  for (uint32_t t = 0; t < exhibit->env->spec.teams; t++)
    TRY_RETURN(position_show(&exhibit->agent[t], position));
  return OK;
}

static Status play_chance(Exhibit *exhibit) {
  Position *position = &exhibit->position;
  char word[16];
  uint32_t outcome;
  if (env_draw_chance(exhibit->env, position->episode, &position->rng, &outcome) != AGON_CHANCE)
    return status_set(ERR_ENV, "env %s: %s", exhibit->env->table->name, env_why(exhibit->env));
  snprintf(word, sizeof word, "%u", outcome);
  return position_play(position, word);
}

/* The word of one agent, by what its team's player thinks best. */
static Status play_word(Exhibit *exhibit, uint32_t agent) {
  const uint32_t team = exhibit->env->spec.team_of[agent];
  const Thought *thought = exhibit->thought[team];
  size_t left = exhibit->thoughts[team];
  char word[ACTION_WORD];
  for (; left > 0 && thought->agent != agent; left--)
    thought++;
  if (left == 0)
    return status_set(ERR_INTERNAL, "nobody has thought about agent %u, who must act", agent);
  return position_play(&exhibit->position, action_word(exhibit->env, thought->best, word));
}

/* One step: all think about the position as it is, then give their words one after another. */
static Status play_step(Exhibit *exhibit) {
  Position *position = &exhibit->position;
  const AgentView view = position_view(position);
  uint32_t agent;
  for (uint32_t t = 0; t < exhibit->env->spec.teams; t++)
    TRY_RETURN(agent_look(&exhibit->agent[t], &view, &exhibit->thought[t], &exhibit->thoughts[t]));
  do {
    if (!position_actor(position, &agent))
      return status_set(ERR_ENV, "env %s: nobody acts", exhibit->env->table->name);
    TRY_RETURN(play_word(exhibit, agent));
  } while (position->waiting > 0);
  return OK;
}

static Status play_all(Exhibit *exhibit, uint32_t *steps) {
  Position *position = &exhibit->position;
  const ExhibitPlan *plan = exhibit->plan;
  bool begun = false;
  *steps = 0;
  while (position->status == AGON_RUNNING || position->status == AGON_CHANCE) {
    if (position->status == AGON_CHANCE) {
      TRY_RETURN(play_chance(exhibit));
      continue;
    }
    if (!begun) TRY_RETURN(plan->shown(plan->context, position, 0));
    begun = true;
    TRY_RETURN(play_step(exhibit));
    ++*steps;
    /* chance that follows belongs to the step */
    while (position->status == AGON_CHANCE)
      TRY_RETURN(play_chance(exhibit));
    TRY_RETURN(plan->shown(plan->context, position, *steps));
  }
  return OK;
}

Status eval_exhibit(const Env *env, const ExhibitPlan *plan, uint32_t *steps) {
  Status status = OK;
  const uint32_t teams = env->spec.teams;
  Exhibit exhibit = {.env = env, .plan = plan};
  TRY(NEW_ARRAY(exhibit.agent, teams));
  TRY(NEW_ARRAY(exhibit.thought, teams));
  TRY(NEW_ARRAY(exhibit.thoughts, teams));
  for (uint32_t t = 0; t < teams; t++) {
    plan->team[t]->policy.greedy = true;
    TRY(agent_create(plan->team[t], env, env->spec.agents, &exhibit.agent[t]));
  }
  TRY(position_create(env, &exhibit.position));
  exhibit.position.stepping = on_stepping;
  exhibit.position.context = &exhibit;
  TRY(position_reset(&exhibit.position, plan->rng));
  TRY(play_all(&exhibit, steps));
done:
  position_destroy(&exhibit.position);
  for (uint32_t t = 0; exhibit.agent && t < teams; t++)
    agent_destroy(&exhibit.agent[t]);
  free(exhibit.agent);
  free(exhibit.thought);
  free(exhibit.thoughts);
  return status;
}
