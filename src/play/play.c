#include "play/play.h"

#include "base/clock.h"
#include "base/doing.h"
#include "base/invariant.h"
#include "base/text.h"
#include "data/batch.h"
#include "env/bridge.h"
#include "play/rewards.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A row of an inference: an agent's turn in this step; or, where teammates tell one another
 * something, any agent of a team of which somebody acts, or (UINT32_MAX) nobody in its place. */
typedef struct Request {
  PlaySlot *slot;
  uint32_t agent;
  uint32_t index; /* of the slot in play->slot */
  uint8_t flags;  /* the env's, of the agent */
} Request;

struct Play {
  const Env *env;
  uint64_t seed;
  size_t chunk;
  PlayHooks hooks;
  PlayStats stats;
  Clock clock;
  PlaySlot **slot;
  size_t slots, slot_room;
  Request *request;
  size_t requests, request_room;
  Policy **active; /* policies with requests in this step */
  size_t actives, active_room;
  AgonAction *action; /* (slots, agents, heads) */
  size_t action_room;
  Inference own; /* of policies that bring none; its net is NULL where all do */
  size_t memory; /* recurrent floats per agent */
  uint8_t *observation, *mask;
  uint32_t opening; /* random steps */
  bool vary_opening;
  bool tells_agents;
  /* A player has failed, and the caller does without it: as the turns are served; in this step. */
  bool lost, gaps;
  uint64_t decided;  /* decisions before this step */
  float most_reward; /* of an agent in one step, either way; more is refused */
  double *share;     /* (teams) of an agent in its team's return */
  float *outcome;    /* (teams) */
  uint8_t *flag;     /* (slots, agents) */
  uint8_t *acting;   /* (agents) flags of one slot */
  float *gain;       /* (agents) rewards of one slot */
  AgonAction *move;  /* (agents, heads) of one slot */
  void **state;      /* (slots) for step_many, with the next three */
  AgonRandom *random;
  float *reward; /* (slots, agents) */
  AgonStatus *status;
  size_t many_room[5];
  Rewards *rewards; /* what is learned from instead of rewards; NULL: they are */
  float *others;    /* (slots, agents) what teams would have got without each agent */
  size_t others_room;
  const void **episode; /* (chunk) of the rows of an inference */
  uint32_t *agent;
  bool *explores;  /* (chunk) */
  uint8_t *alive;  /* (chunk), with the next for networks whose agents say something */
  float *position; /* (chunk, 3) */
  bool *asked;     /* (teams) the team of the slot at hand has its rows already */
  uint32_t *mate;  /* (teams, largest) agents of each team; UINT32_MAX: nobody */
  size_t largest;  /* agents of the largest team */
};

/* Who is in which team, in the agents' order. */
static void seat(Play *play) {
  const AgonEnvSpec *spec = &play->env->spec;
  uint32_t *mate = play->mate;
  for (uint32_t t = 0; t < spec->teams; t++, mate += play->largest) {
    size_t count = 0;
    for (size_t i = 0; i < play->largest; i++)
      mate[i] = UINT32_MAX;
    for (uint32_t a = 0; a < spec->agents; a++)
      if (spec->team_of[a] == t) mate[count++] = a;
  }
}

/* What an env says of an episode's total is taken as an estimate, and a step may pay what another
 * takes back. Beyond a thousand times that, a reward is a mistake: returns and values, and all that
 * is learned by them, would be made of it alone. */
static float most_reward(const AgonEnvSpec *spec) {
  const float total = fmaxf(fabsf(spec->reward_low), fabsf(spec->reward_high));
  return 1000 * fmaxf(total, 1);
}

/* A team's return is the mean over its agents: `share` is one agent's part. */
Status play_create(const Env *env, const Net *net, uint64_t run_seed, size_t chunk, size_t memory,
                   const PlayHooks *hooks, Play **out) {
  Status status = OK;
  Play *play = NULL;
  const size_t largest = team_largest(&env->spec);
  if (chunk < largest) chunk = largest;
  TRY(NEW_ARRAY(play, 1));
  *play = (Play){.env = env,
                 .seed = run_seed,
                 .chunk = chunk,
                 .memory = memory,
                 .largest = largest,
                 .most_reward = most_reward(&env->spec),
                 .hooks = *hooks,
                 .clock = clock_system()};
  TRY(NEW_ARRAY(play->observation, chunk * env->observation_bytes));
  TRY(NEW_ARRAY(play->mask, chunk * env->action_count));
  TRY(NEW_ARRAY(play->episode, chunk));
  TRY(NEW_ARRAY(play->agent, chunk));
  TRY(NEW_ARRAY(play->explores, chunk));
  TRY(NEW_ARRAY(play->alive, chunk));
  TRY(NEW_ARRAY(play->position, chunk * 3));
  TRY(NEW_ARRAY(play->asked, env->spec.teams));
  TRY(NEW_ARRAY(play->mate, env->spec.teams * largest));
  seat(play);
  TRY(NEW_ARRAY(play->share, env->spec.teams));
  TRY(NEW_ARRAY(play->outcome, env->spec.teams));
  TRY(NEW_ARRAY(play->acting, env->spec.agents));
  TRY(NEW_ARRAY(play->gain, env->spec.agents));
  TRY(NEW_ARRAY(play->move, env->spec.agents * env->layout.heads));
  for (uint32_t a = 0; a < env->spec.agents; a++)
    play->share[env->spec.team_of[a]]++;
  for (uint32_t t = 0; t < env->spec.teams; t++)
    play->share[t] = play->share[t] > 0 ? 1 / play->share[t] : 0;
  if (net) TRY(inference_create(net, chunk, &play->own));
  *out = play;
  play = NULL;
done:
  play_destroy(play);
  return status;
}

/* The env gets its state back first, if it made one. */
static void slot_free(const Play *play, PlaySlot *slot) {
  if (slot->created) play->env->table->destroy(play->env->params, slot->state);
  free(slot->state);
  free(slot->memory);
  free(slot->policy);
  free(slot->act_key);
  free(slot->record);
  free(slot->team_return);
  free(slot->earned);
  free(slot->agent_return);
  free(slot);
}

/* Accepts NULL. Policies are the caller's, and so is policy_release. */
void play_destroy(Play *play) {
  if (!play) return;
  for (size_t i = 0; i < play->slots; i++)
    slot_free(play, play->slot[i]);
  inference_destroy(&play->own);
  rewards_destroy(play->rewards);
  free(play->others);
  free(play->slot);
  free(play->request);
  free(play->active);
  free(play->action);
  free(play->observation);
  free(play->mask);
  free(play->share);
  free(play->outcome);
  free(play->acting);
  free(play->gain);
  free(play->move);
  free(play->flag);
  free(play->state);
  free(play->random);
  free(play->reward);
  free(play->status);
  free(play->episode);
  free(play->agent);
  free(play->explores);
  free(play->alive);
  free(play->position);
  free(play->asked);
  free(play->mate);
  free(play);
}

/* Arrays over slots grow with it, so that stepping allocates nothing. */
Status play_add_slot(Play *play, uint32_t id, PlaySlot **out) {
  Status status = OK;
  const size_t teams = play->env->spec.teams;
  PlaySlot *slot = NULL;
  TRY(GROW(play->slot, play->slot_room, play->slots + 1));
  TRY(GROW(play->action, play->action_room,
           (play->slots + 1) * play->env->spec.agents * play->env->layout.heads));
  TRY(GROW(play->state, play->many_room[0], play->slots + 1));
  TRY(GROW(play->random, play->many_room[1], play->slots + 1));
  TRY(GROW(play->reward, play->many_room[2], (play->slots + 1) * play->env->spec.agents));
  TRY(GROW(play->status, play->many_room[3], play->slots + 1));
  TRY(GROW(play->flag, play->many_room[4], (play->slots + 1) * play->env->spec.agents));
  if (play->rewards)
    TRY(GROW(play->others, play->others_room, (play->slots + 1) * play->env->spec.agents));
  TRY(NEW_ARRAY(slot, 1));
  slot->id = id;
  TRY(mem_array(&slot->state, play->env->spec.episode_size, 1));
  TRY(NEW_ARRAY(slot->memory, play->env->spec.agents * play->memory));
  TRY(NEW_ARRAY(slot->policy, teams));
  TRY(NEW_ARRAY(slot->act_key, teams));
  TRY(NEW_ARRAY(slot->record, teams));
  TRY(NEW_ARRAY(slot->team_return, teams));
  if (rewards_remember(play->rewards)) TRY(NEW_ARRAY(slot->earned, play->env->spec.agents));
  if (play->tells_agents) TRY(NEW_ARRAY(slot->agent_return, play->env->spec.agents));
  TRY(env_make(play->env, slot->state));
  slot->created = play->env->table->create != NULL;
  play->slot[play->slots++] = slot;
  *out = slot;
  slot = NULL;
done:
  if (slot) slot_free(play, slot);
  return status;
}

Status play_learn_by(Play *play, const RewardsConfig *config) {
  INVARIANT(play->slots == 0 && !play->rewards);
  return rewards_create(play->env, config, &play->rewards);
}

const PlayStats *play_stats(const Play *play) {
  return &play->stats;
}

/* Only matches and replays write games down. */
static void trace(Play *play, PlaySlot *slot, TraceKind kind, const AgonAction *actions,
                  uint32_t outcome) {
  if (play->hooks.traced) play->hooks.traced(play->hooks.context, slot, kind, actions, outcome);
}

/* Plays chance moves until somebody must act or the game is over. */
static AgonStatus settle(Play *play, PlaySlot *slot, AgonStatus how, float *reward) {
  const Env *env = play->env;
  while (how == AGON_CHANCE) {
    uint32_t outcome;
    how = env_draw_chance(env, slot->state, &slot->env_rng, &outcome);
    if (how != AGON_CHANCE) break;
    trace(play, slot, TRACE_CHANCE, NULL, outcome);
    how = env_call_chance(env, slot->state, outcome, reward);
  }
  return how;
}

/* A new game, to its first decision. */
static AgonStatus reset(Play *play, PlaySlot *slot, float *reward) {
  AgonRandom random = rng_handle(&slot->env_rng);
  trace(play, slot, TRACE_RESET, NULL, 0);
  doing_call(play->env->table->name, "reset", slot->id, slot->episode, slot->steps);
  const AgonStatus how = slot->knob
                             ? env_call_reset_with(play->env, slot->state, slot->knob, &random)
                             : env_call_reset(play->env, slot->state, &random);
  const AgonStatus settled = settle(play, slot, how, reward);
  doing_own();
  return settled;
}

/* One step of one game, with the chance moves behind it. */
static AgonStatus step_slot(Play *play, PlaySlot *slot, const AgonAction *actions, float *reward) {
  AgonRandom random = rng_handle(&slot->env_rng);
  trace(play, slot, TRACE_STEP, actions, 0);
  doing_call(play->env->table->name, "step", slot->id, slot->episode, slot->steps);
  const AgonStatus how = env_call_step(play->env, slot->state, actions, &random, reward);
  const AgonStatus settled = settle(play, slot, how, reward);
  doing_own();
  return settled;
}

/* Adds each agent's part to its team's return. */
static void count_rewards(const Play *play, PlaySlot *slot, const float *reward) {
  const AgonEnvSpec *spec = &play->env->spec;
  for (uint32_t a = 0; a < spec->agents; a++)
    slot->team_return[spec->team_of[a]] += (double)reward[a] * play->share[spec->team_of[a]];
  for (uint32_t a = 0; slot->agent_return && a < spec->agents; a++)
    slot->agent_return[a] += (double)reward[a];
}

/* A new game; rewards that chance moves give before the first decision are in the returns. */
static AgonStatus reset_and_count(Play *play, PlaySlot *slot) {
  memset(play->gain, 0, play->env->spec.agents * sizeof *play->gain);
  memset(slot->team_return, 0, play->env->spec.teams * sizeof *slot->team_return);
  if (slot->agent_return)
    memset(slot->agent_return, 0, play->env->spec.agents * sizeof *slot->agent_return);
  slot->steps = 0;
  AgonStatus how = reset(play, slot, play->gain);
  count_rewards(play, slot, play->gain);
  return how;
}

/* One step in which all who act move uniformly at random. */
static AgonStatus random_step(Play *play, PlaySlot *slot) {
  const Env *env = play->env;
  env_flags_of(env, slot->state, play->acting);
  memset(play->gain, 0, env->spec.agents * sizeof *play->gain);
  memset(play->move, 0, env->spec.agents * env->layout.heads * sizeof *play->move);
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    if (!(play->acting[a] & AGON_ACTS)) continue;
    env_mask(env, slot->state, a, play->mask);
    env_random_action(env, a, play->mask, &slot->env_rng, env_action(env, play->move, a));
  }
  slot->steps++;
  AgonStatus how = step_slot(play, slot, play->move, play->gain);
  count_rewards(play, slot, play->gain);
  return how;
}

/* Where an env has failed, and why by its own words. */
static Status env_failed(const Play *play, const PlaySlot *slot, const char *where) {
  return status_set(ERR_ENV, "env %s failed in %s, slot %u, episode %u, step %u: %s",
                    play->env->table->name, where, slot->id, slot->episode, slot->steps,
                    env_why(play->env));
}

/* A reward that is no number, or beyond all that the env says of itself, would go on into returns,
 * payoffs and gradients, where nobody could say whose it was. */
static Status check_rewards(const Play *play, const PlaySlot *slot, const float *reward) {
  const Env *env = play->env;
  const AgonEnvSpec *spec = &env->spec;
  const size_t agent = env_first_beyond(reward, spec->agents, play->most_reward);
  if (agent == spec->agents) return OK;
  if (!isfinite(reward[agent]))
    return status_set(ERR_ENV,
                      "env %s: slot %u, episode %u, step %u: the reward of agent %zu is no number",
                      env->table->name, slot->id, slot->episode, slot->steps, agent);
  return status_set(ERR_ENV,
                    "env %s: slot %u, episode %u, step %u: the reward of agent %zu is %g, more "
                    "than a thousand times what an episode pays (its spec says reward_low %g, "
                    "reward_high %g): one of them is wrong",
                    env->table->name, slot->id, slot->episode, slot->steps, agent,
                    (double)reward[agent], (double)spec->reward_low, (double)spec->reward_high);
}

/* A game that is over as it begins: agon/env.h asks for a decision first. */
static Status no_decision(const Play *play, const PlaySlot *slot) {
  return status_set(ERR_ENV,
                    "env %s: slot %u, episode %u: it ended before its first decision: reset must "
                    "lead to one (see agon/env.h; 'agon env check' looks for it)",
                    play->env->table->name, slot->id, slot->episode);
}

/* An opening in which the game ends is drawn again, up to a thousand times. */
static Status open_randomly(Play *play, PlaySlot *slot) {
  const Env *env = play->env;
  uint32_t plies =
      play->vary_opening ? rng_below(&slot->env_rng, play->opening + 1) : play->opening;
  if (env->layout.action_kind == AGON_BOX)
    return status_set(ERR_USAGE, "random openings need discrete actions");
  for (int attempt = 0; attempt < 1000; attempt++) {
    AgonStatus how = AGON_RUNNING;
    for (uint32_t i = 0; i < plies && how == AGON_RUNNING; i++) {
      how = random_step(play, slot);
      if (how == AGON_FAILED) return env_failed(play, slot, "a random opening");
      TRY_RETURN(check_rewards(play, slot, play->gain));
    }
    if (how == AGON_RUNNING) return OK;
    how = reset_and_count(play, slot);
    if (how == AGON_FAILED) return env_failed(play, slot, "reset");
    TRY_RETURN(check_rewards(play, slot, play->gain));
    if (how != AGON_RUNNING) return no_decision(play, slot);
  }
  return status_set(ERR_USAGE, "env %s: openings of %u random steps end the game", env->table->name,
                    play->opening);
}

/* The hook may leave a slot idle. The env's stream is named by the slot and the episode, so that it
 * is the same on any rank. */
static Status start_episode(Play *play, PlaySlot *slot) {
  const Env *env = play->env;
  if (!play->hooks.begin(play->hooks.context, slot)) return OK;
  slot->env_rng = rng_stream(play->seed, slot->id, slot->episode, RNG_ENV);
  slot->drew = false;
  memset(slot->memory, 0, env->spec.agents * play->memory * sizeof(float));
  if (slot->earned) memset(slot->earned, 0, env->spec.agents * sizeof *slot->earned);
  AgonStatus how = reset_and_count(play, slot);
  if (how == AGON_FAILED) return env_failed(play, slot, "reset");
  TRY_RETURN(check_rewards(play, slot, play->gain));
  if (how != AGON_RUNNING) return no_decision(play, slot);
  if (play->opening) TRY_RETURN(open_randomly(play, slot));
  slot->live = true;
  return OK;
}

/* The row of an agent's action in the slot at `index`. */
static AgonAction *action_of(const Play *play, size_t index, uint32_t agent) {
  return env_action(play->env, play->action, index * play->env->spec.agents + agent);
}

/* Queues a row with its policy; a policy's first makes it active. */
static Status add_request(Play *play, Policy *policy, const Request *request) {
  TRY_RETURN(GROW(play->request, play->request_room, play->requests + 1));
  TRY_RETURN(GROW(policy->queue, policy->queue_room, policy->queued + 1));
  if (policy->queued == 0) {
    TRY_RETURN(GROW(play->active, play->active_room, play->actives + 1));
    play->active[play->actives++] = policy;
  }
  policy->queue[policy->queued++] = (uint32_t)play->requests;
  play->request[play->requests++] = *request;
  return OK;
}

/* The network that evaluates a policy, with its buffers. */
static Inference *inference_of(Play *play, const Policy *policy) {
  Inference *inference = policy->inference ? policy->inference : &play->own;
  INVARIANT(inference->net);
  return inference;
}

/* Whether its agents are asked together, because they tell one another something. */
static bool asks_teams(Play *play, const Policy *policy) {
  return !policy->builtin && net_talks(inference_of(play, policy)->net);
}

/* Queues a turn, and at the first of a team that must be asked together the rows of all its agents.
 * flag: the env's of the slot. */
static Status add_turn(Play *play, PlaySlot *slot, size_t index, uint32_t agent,
                       const uint8_t *flag) {
  const uint32_t team = play->env->spec.team_of[agent];
  Policy *policy = slot->policy[team];
  Request request = {slot, agent, (uint32_t)index, flag[agent]};
  INVARIANT(policy && slot->live);
  play->stats.decisions++;
  if (!asks_teams(play, policy)) return add_request(play, policy, &request);
  if (play->asked[team]) return OK;
  play->asked[team] = true;
  for (size_t i = 0; i < play->largest; i++) {
    request.agent = play->mate[team * play->largest + i];
    request.flags = request.agent == UINT32_MAX ? 0 : flag[request.agent];
    TRY_RETURN(add_request(play, policy, &request));
  }
  return OK;
}

/* Finds all turns of this step. */
static Status gather(Play *play) {
  const Env *env = play->env;
  size_t agents = env->spec.agents;
  size_t live = 0;
  for (size_t i = 0; i < play->slots; i++)
    if (play->slot[i]->live) play->state[live++] = play->slot[i]->state;
  doing_call(env->table->name, "flags", DOING_MANY, 0, 0);
  env_flags(env, live, (const void *const *)play->state, play->flag);
  doing_own();
  const uint8_t *flag = play->flag;
  play->actives = 0;
  play->requests = 0;
  play->decided = play->stats.decisions;
  for (size_t i = 0; i < play->slots; i++) {
    if (!play->slot[i]->live) continue;
    memset(play->asked, 0, env->spec.teams * sizeof *play->asked);
    for (uint32_t a = 0; a < agents; a++)
      if (flag[a] & AGON_ACTS) TRY_RETURN(add_turn(play, play->slot[i], i, a, flag));
    flag += agents;
  }
  return OK;
}

/* Named by all that makes a decision: whose, in which game, at which step. */
static AgonRng acting_stream(const Play *play, const PlaySlot *slot, uint32_t agent) {
  uint64_t key = play->seed ^ slot->act_key[play->env->spec.team_of[agent]];
  return rng_decision(key, slot->id, slot->episode, slot->steps, agent);
}

/* Which player has failed, in which game, and where in it: so it can be asked the same again. */
static Status player_failed(const Play *play, const Policy *policy, const Request *request) {
  const BuiltinPolicy *player = policy->builtin;
  const PlaySlot *slot = request->slot;
  return status_context(
      player->failed, "%s%s%s%s, seed %llu, slot %u, episode %u, step %u, agent %u",
      *player->guest ? "guest " : "", player->guest, *player->guest ? " in " : "", play->env->title,
      (unsigned long long)play->seed, slot->id, slot->episode, slot->steps, request->agent);
}

/* Unless somebody can do without it, the step has failed. Else the others must be asked anew, as
 * its games are not played on. */
static Status give_up(Play *play, Policy *policy, const Request *request) {
  const Status status = player_failed(play, policy, request);
  if (!play->hooks.failed || !play->hooks.failed(play->hooks.context, policy)) return status;
  play->lost = true;
  return OK;
}

/* Built-ins see the episode, one at a time. Whether they drew is seen by their stream. */
static Status choose_builtin(Play *play, Policy *policy) {
  const Env *env = play->env;
  policy->builtin->greedy = policy->greedy;
  for (size_t q = 0; q < policy->queued; q++) {
    const Request *request = &play->request[policy->queue[q]];
    AgonAction *action = action_of(play, request->index, request->agent);
    AgonRng rng = acting_stream(play, request->slot, request->agent);
    const AgonRng before = rng;
    env_mask(env, request->slot->state, request->agent, play->mask);
    policy->builtin->ops->act(policy->builtin, request->slot->state, request->agent, play->mask,
                              &rng, action);
    if (policy->builtin->failed != OK) return give_up(play, policy, request);
    request->slot->drew |= memcmp(&rng, &before, sizeof rng) != 0;
  }
  return OK;
}

/* The row of an agent that does not act: what it sees and says, if it is in the game. */
static void view_waiting(Play *play, const Request *request, size_t q) {
  const Env *env = play->env;
  uint8_t *row = play->observation + q * env->observation_bytes;
  memset(play->mask + q * env->action_count, 1, env->action_count);
  if (request->flags & AGON_ALIVE)
    env_observe(env, request->slot->state, request->agent, row);
  else
    memset(row, 0, env->observation_bytes);
}

/* Rows of whole teams: those who act in one call for as many as lie together. */
static void view_teams(Play *play, const uint32_t *queue, size_t count) {
  const Env *env = play->env;
  for (size_t q = 0, run; q < count; q += run) {
    run = 0;
    while (q + run < count && play->request[queue[q + run]].flags & AGON_ACTS)
      run++;
    if (run)
      env_view(env, run, play->episode + q, play->agent + q,
               play->observation + q * env->observation_bytes, play->mask + q * env->action_count);
    else
      view_waiting(play, &play->request[queue[q]], q), run = 1;
  }
}

/* Who is in the game, and where, for networks that ask. */
static Status locate(Play *play, const Net *net, const uint32_t *queue, size_t count) {
  for (size_t q = 0; net_talks(net) && q < count; q++) {
    const Request *request = &play->request[queue[q]];
    float *position = play->position + q * 3;
    play->alive[q] = (request->flags & AGON_ALIVE) != 0;
    memset(position, 0, 3 * sizeof *position);
    if (play->alive[q] && net_wants_positions(net))
      TRY_RETURN(env_position(play->env, request->slot->state, request->agent, position));
  }
  return OK;
}

/* Fills observations and masks of `count` queued rows from `first` on, straight into the batch. */
static Status view(Play *play, const Net *net, const uint32_t *queue, size_t count) {
  const Env *env = play->env;
  for (size_t q = 0; q < count; q++) {
    const Request *request = &play->request[queue[q]];
    play->episode[q] = request->slot->state;
    play->agent[q] = request->agent;
  }
  doing_call(env->table->name, "observe or mask", DOING_MANY, 0, 0);
  if (net_talks(net))
    view_teams(play, queue, count);
  else
    env_view(env, count, play->episode, play->agent, play->observation, play->mask);
  doing_own();
  return locate(play, net, queue, count);
}

/* What the messages of the agent in row q cost it, which are heard by all others of its team. */
static float cost_of(const Play *play, const Inference *own, size_t q) {
  const Net *net = own->net;
  const size_t N = net_team(net);
  const MessageConfig *messages = &net->config.messages;
  size_t hearers = 0;
  if (!net->gates || !net_speaks(net, own->memory_in + q * net->graph.state_size)) return 0;
  for (size_t i = q / N * N; i < q / N * N + N; i++)
    hearers += i != q && play->alive[i];
  return (float)(messages->cost * (double)hearers * (double)messages->rounds);
}

/* Hands a decision to the hook, before its action is scaled to the env's range. */
static void record(Play *play, const Policy *policy, const Request *request, size_t q) {
  Inference *own = inference_of(play, policy);
  const ActionSpace *space = &own->net->space;
  const uint8_t *masks = own->mask ? own->mask : play->mask;
  const AgonAction *action = own->action + q * space->heads;
  size_t S = own->net->graph.state_size;
  Decision decision = {
      .agent = request->agent,
      .policy = policy,
      .observation = play->observation + q * play->env->observation_bytes,
      .mask = masks + q * space->choices,
      .action = action,
      .log_prob = policy_log_prob(own, q, action),
      .value = own->value[q],
      .memory = S ? own->memory_in + q * S : NULL,
      .cost = cost_of(play, own, q),
  };
  play->stats.decisions_recorded++;
  play->hooks.decided(play->hooks.context, request->slot, &decision);
}

void play_open_randomly(Play *play, uint32_t plies, bool vary) {
  play->opening = plies;
  play->vary_opening = vary;
}

void play_tell_agents(Play *play) {
  play->tells_agents = true;
}

/* The rows of an inference: whose turns they are. */
typedef struct Turns {
  const Play *play;
  const uint32_t *queue; /* of the first row, and so on */
} Turns;

/* Where a row of an inference comes from. */
static void place_of(const void *context, size_t row, char *out, size_t size) {
  const Turns *turns = context;
  const PlaySlot *slot = turns->play->request[turns->queue[row]].slot;
  if (text_format(out, size, " in slot %u, episode %u, step %u", slot->id, slot->episode,
                  slot->steps) != OK)
    out[0] = 0;
}

/* Draws the actions, each from its own stream, and keeps the recurrent states. Who learns from a
 * decision explores; who plays to see how good it is does not. */
static void sample_rows(Play *play, const Policy *policy, Inference *own, size_t first,
                        size_t count) {
  size_t S = own->net->graph.state_size;
  for (size_t q = 0; q < count; q++) {
    const Request *request = &play->request[policy->queue[first + q]];
    const bool acts = request->flags & AGON_ACTS;
    play->explores[q] = acts && request->slot->record[play->env->spec.team_of[request->agent]];
  }
  policy_normalise(policy, own, policy_masks(own, play->env, play->mask, count), play->explores,
                   count);
  for (size_t q = 0; q < count; q++) {
    const Request *request = &play->request[policy->queue[first + q]];
    PlaySlot *slot = request->slot;
    if (!(request->flags & AGON_ACTS)) continue;
    AgonRng rng = acting_stream(play, slot, request->agent);
    AgonAction *action = own->action + q * own->net->space.heads;
    policy_draw(policy, own, q, &rng, action);
    memcpy(action_of(play, request->index, request->agent), action,
           play->env->layout.heads * sizeof *action);
    slot->drew |= policy_draws(policy, own->net, play->explores[q]);
    float *memory = slot->memory + request->agent * play->memory;
    if (S) memcpy(memory, own->memory_out + q * S, S * sizeof(float));
    net_remember(own->net, action, memory);
  }
}

/* Hands the decisions of recorded teams to the hook. */
static void record_rows(Play *play, const Policy *policy, size_t first, size_t count) {
  const Env *env = play->env;
  for (size_t q = 0; q < count; q++) {
    const Request *request = &play->request[policy->queue[first + q]];
    if (!(request->flags & AGON_ACTS)) continue;
    if (request->slot->record[env->spec.team_of[request->agent]]) record(play, policy, request, q);
    env_scale_action(env, request->agent, action_of(play, request->index, request->agent));
  }
}

/* What the agents of `count` queued rows remember; nobody remembers anything. */
static void recall(const Play *play, const uint32_t *queue, size_t S, size_t count, float *out) {
  for (size_t q = 0; S && q < count; q++) {
    const Request *request = &play->request[queue[q]];
    if (request->agent == UINT32_MAX)
      memset(out + q * S, 0, S * sizeof *out);
    else
      memcpy(out + q * S, request->slot->memory + request->agent * play->memory, S * sizeof *out);
  }
}

/* One inference over `count` queued rows from `first` on, with the time that its parts took. */
static Status choose_chunk(Play *play, Policy *policy, size_t first, size_t count) {
  Inference *own = inference_of(play, policy);
  const Turns turns = {play, policy->queue + first};
  PolicyRows rows = {
      .count = count,
      .observations = play->observation,
      .memory = own->memory_in,
      .agents = play->agent,
      .alive = play->alive,
      .positions = play->position,
      .place = place_of,
      .context = &turns,
  };
  PolicyAnswer answer = {
      .logits = own->logits,
      .values = own->value,
      .memory = own->memory_out,
  };
  int64_t start = clock_now(&play->clock);
  TRY_RETURN(view(play, own->net, policy->queue + first, count));
  recall(play, policy->queue + first, own->net->graph.state_size, count, own->memory_in);
  int64_t observed = clock_now(&play->clock);
  TRY_RETURN(policy_decide(policy, own, play->env, &rows, &answer));
  int64_t forwarded = clock_now(&play->clock);
  sample_rows(play, policy, own, first, count);
  int64_t sampled = clock_now(&play->clock);
  record_rows(play, policy, first, count);
  play->stats.env_ns += observed - start;
  play->stats.forward_ns += forwarded - observed;
  play->stats.sample_ns += sampled - forwarded;
  play->stats.record_ns += clock_now(&play->clock) - sampled;
  return OK;
}

/* All rows of a network's policy, in chunks that both the Play's and its own buffers hold; none
 * parts a team. */
static Status choose_network(Play *play, Policy *policy) {
  const Inference *own = inference_of(play, policy);
  size_t most = own->chunk < play->chunk ? own->chunk : play->chunk;
  most -= most % net_team(own->net);
  for (size_t first = 0; first < policy->queued; first += most) {
    size_t left = policy->queued - first;
    TRY_RETURN(choose_chunk(play, policy, first, left < most ? left : most));
  }
  return OK;
}

/* Serves one policy after another: all its turns go through its network together. Those that are no
 * networks come first: nothing has been recorded yet where one of them fails, and games are
 * ended. */
static Status choose_once(Play *play) {
  play->lost = false;
  for (size_t i = 0; i < play->actives && !play->lost; i++)
    if (play->active[i]->builtin) TRY_RETURN(choose_builtin(play, play->active[i]));
  for (size_t i = 0; i < play->actives && !play->lost; i++)
    if (!play->active[i]->builtin) TRY_RETURN(choose_network(play, play->active[i]));
  for (size_t i = 0; i < play->actives; i++)
    play->active[i]->queued = 0;
  return OK;
}

/* What all do who must act now. Where games have been ended the turns are gathered anew: the same
 * questions have the same answers. */
static Status choose(Play *play) {
  play->gaps = false;
  for (;;) {
    TRY_RETURN(choose_once(play));
    if (!play->lost) return OK;
    play->gaps = true;
    play->stats.decisions = play->decided;
    TRY_RETURN(gather(play));
  }
}

/* Tells of each slot that goes on how the step was entered. */
static void tell_stepped(const Play *play) {
  const uint8_t *flag = play->flag;
  if (!play->hooks.stepped) return;
  for (size_t i = 0; i < play->slots; i++) {
    if (!play->slot[i]->live) continue;
    play->hooks.stepped(play->hooks.context, play->slot[i], flag);
    flag += play->env->spec.agents;
  }
}

/* An end that there is, and outcomes that can be counted: others would go on into payoffs and
 * ratings. */
static Status check_end(const Play *play, const PlaySlot *slot, AgonStatus how) {
  const Env *env = play->env;
  const float *outcome = play->outcome;
  if (!env_outcome_counts(env, outcome))
    return status_set(
        ERR_ENV,
        "env %s: slot %u, episode %u, step %u: outcomes %g, %g ... of the teams: each "
        "must lie in 0 .. 1, and two teams' must sum to 1",
        env->table->name, slot->id, slot->episode, slot->steps, (double)outcome[0],
        (double)outcome[env->spec.teams > 1]);
  if (how == AGON_TERMINATED || how == AGON_TRUNCATED) return OK;
  return status_set(ERR_ENV,
                    "env %s: slot %u, episode %u, step %u: the status is %d, which there is not",
                    env->table->name, slot->id, slot->episode, slot->steps, (int)how);
}

/* Before a slot's step: what its teams would get without one or another. `live`: how many live
 * slots come before it. */
static Status compare(Play *play, const PlaySlot *slot, size_t live, const AgonAction *actions) {
  const size_t first = live * play->env->spec.agents;
  if (!play->rewards) return OK;
  return rewards_compare(play->rewards, slot, play->flag + first, actions, play->others + first);
}

/* What is learned from this step's rewards. */
static const float *to_learn(Play *play, PlaySlot *slot, size_t live, const float *reward) {
  const size_t first = live * play->env->spec.agents;
  if (!play->rewards) return reward;
  return rewards_learned(play->rewards, slot, play->flag + first, play->others + first, reward);
}

/* What follows a slot's step: rewards and, at the end, the outcome. Returns are of the env's own
 * rewards, whatever is learned from. */
static Status conclude(Play *play, PlaySlot *slot, size_t live, AgonStatus how,
                       const float *reward) {
  const Env *env = play->env;
  if (how == AGON_FAILED) return env_failed(play, slot, "step");
  slot->steps++;
  TRY_RETURN(check_rewards(play, slot, reward));
  count_rewards(play, slot, reward);
  play->hooks.rewarded(play->hooks.context, slot, to_learn(play, slot, live, reward));
  play->stats.steps++;
  if (how == AGON_RUNNING) return OK;
  doing_call(env->table->name, "outcome", slot->id, slot->episode, slot->steps);
  env_outcome(env, slot->state, play->outcome);
  doing_own();
  TRY_RETURN(check_end(play, slot, how));
  play->hooks.ended(play->hooks.context, slot, how, play->outcome);
  play->stats.episodes++;
  slot->live = false;
  slot->episode++;
  return OK;
}

/* All slots at once, where the env offers it: actions lie slot by slot. */
static Status step_together(Play *play, size_t *live) {
  const Env *env = play->env;
  size_t agents = env->spec.agents;
  for (size_t i = 0; i < play->slots; i++)
    play->random[i] = rng_handle(&play->slot[i]->env_rng);
  memset(play->reward, 0, play->slots * agents * sizeof *play->reward);
  for (size_t i = 0; i < play->slots; i++)
    play->status[i] = AGON_FAILED; /* what the env forgets to write is no success */
  for (size_t i = 0; env->layout.action_kind == AGON_BOX && i < play->slots; i++)
    env_clip_actions(env, action_of(play, i, 0));
  for (size_t i = 0; i < play->slots; i++)
    TRY_RETURN(compare(play, play->slot[i], i, action_of(play, i, 0)));
  for (size_t i = 0; play->hooks.traced && i < play->slots; i++)
    trace(play, play->slot[i], TRACE_STEP, action_of(play, i, 0), 0);
  doing_call(env->table->name, "step_many", DOING_MANY, 0, 0);
  env_call_step_many(env, play->slots, play->state, play->action, play->random, play->reward,
                     play->status);
  doing_own();
  /* before anything else is called: the reason is that call's */
  for (size_t i = 0; i < play->slots; i++)
    if (play->status[i] == AGON_FAILED) return env_failed(play, play->slot[i], "step");
  for (size_t i = 0; i < play->slots; i++) {
    float *reward = play->reward + i * agents;
    AgonStatus how = settle(play, play->slot[i], play->status[i], reward);
    TRY_RETURN(conclude(play, play->slot[i], i, how, reward));
  }
  *live = play->slots;
  return OK;
}

/* Idle slots are passed over. */
static Status step_one_by_one(Play *play, size_t *live) {
  const Env *env = play->env;
  *live = 0;
  for (size_t i = 0; i < play->slots; i++) {
    PlaySlot *slot = play->slot[i];
    if (!slot->live) continue;
    memset(play->gain, 0, env->spec.agents * sizeof *play->gain);
    env_clip_actions(env, action_of(play, i, 0));
    TRY_RETURN(compare(play, slot, *live, action_of(play, i, 0)));
    AgonStatus how = step_slot(play, slot, action_of(play, i, 0), play->gain);
    TRY_RETURN(conclude(play, slot, *live, how, play->gain));
    (*live)++;
  }
  return OK;
}

/* Stepping together needs all slots live, as the env gets every one. */
Status play_step(Play *play, size_t *live) {
  bool all = true;
  for (size_t i = 0; i < play->slots; i++) {
    if (!play->slot[i]->live) TRY_RETURN(start_episode(play, play->slot[i]));
    all &= play->slot[i]->live;
  }
  TRY_RETURN(gather(play));
  TRY_RETURN(choose(play));
  int64_t chosen = clock_now(&play->clock);
  tell_stepped(play);
  if (*bridge_fault()) /* before anybody learns from zeros that stand for what was seen */
    return status_set(ERR_ENV, "env %s failed in what is seen: %s", play->env->table->name,
                      bridge_fault());
  int64_t start = clock_now(&play->clock);
  play->stats.record_ns += start - chosen;
  all &= !play->gaps;
  TRY_RETURN(all && play->env->table->step_many ? step_together(play, live)
                                                : step_one_by_one(play, live));
  play->stats.env_ns += clock_now(&play->clock) - start;
  return OK;
}

/* Nothing but the values is asked for. */
Status play_values(Play *play, Policy *policy, size_t count, const void *observations,
                   const uint32_t *agents, const float *states, float *out) {
  PolicyRows rows = {
      .count = count,
      .observations = observations,
      .memory = states,
      .agents = agents,
  };
  PolicyAnswer answer = {
      .values = out,
  };
  return policy_decide(policy, inference_of(play, policy), play->env, &rows, &answer);
}

/* How a slot in a checkpoint is to be read: whether a game is under way; whether the size of a flat
 * episode stands before it, as it has since episodes could change their sizes under a run; whether
 * the stage of a curriculum does, as it has where that is not the first; and whether what agents
 * have earned stands behind it, for rewards.social=inequity. */
enum { SLOT_LIVE = 1, SLOT_SIZED = 2, SLOT_STAGED = 4, SLOT_EARNED = 8 };

/* Checkpoints have had room for the returns of four teams since before there could be more. */
enum { TEAMS_KEPT = 4 };

/* How many returns a slot has in a checkpoint. */
static size_t teams_kept(const Play *play) {
  return play->env->spec.teams < TEAMS_KEPT ? TEAMS_KEPT : play->env->spec.teams;
}

/* A game on the heap of the env is only there while it is under way. */
Status slot_encode(const Play *play, const PlaySlot *slot, Bytes *out) {
  const Env *env = play->env;
  bytes_u32(out, slot->id);
  bytes_u32(out, slot->episode);
  bytes_u32(out, slot->steps);
  bytes_u8(out, (uint8_t)((slot->live ? SLOT_LIVE : 0) | (env_copies(env) ? SLOT_SIZED : 0) |
                          (slot->stage ? SLOT_STAGED : 0) | (slot->earned ? SLOT_EARNED : 0)));
  if (slot->stage) bytes_u32(out, slot->stage);
  bytes_put(out, &slot->env_rng, sizeof slot->env_rng);
  for (size_t t = 0; t < teams_kept(play); t++)
    bytes_f64(out, t < env->spec.teams ? slot->team_return[t] : 0);
  if (env_copies(env)) bytes_u64(out, env->spec.episode_size);
  if (env_copies(env) || (env_saves(env) && slot->live))
    TRY_RETURN(env_save(env, slot->state, out));
  bytes_put(out, slot->memory, env->spec.agents * play->memory * sizeof(float));
  for (uint32_t a = 0; slot->earned && a < env->spec.agents; a++)
    bytes_f64(out, slot->earned[a]);
  return OK;
}

/* Bytes of another size are another struct: they would be taken for this one's. */
static Status check_episode_size(const Play *play, Reader *reader) {
  const size_t own = play->env->spec.episode_size;
  const uint64_t size = reader_u64(reader);
  if (reader->bad || size == own) return OK;
  return status_set(ERR_USAGE,
                    "env %s: an episode has another size than in the checkpoint: %llu bytes, the "
                    "env has %zu: go on with the build of it that wrote the checkpoint, or begin "
                    "another run",
                    play->env->table->name, (unsigned long long)size, own);
}

/* A lost game frees its slot, and its number is not used again. */
Status slot_decode(const Play *play, PlaySlot *slot, Reader *reader, bool *abandoned) {
  const Env *env = play->env;
  bool whole = true;
  slot->id = reader_u32(reader);
  slot->episode = reader_u32(reader);
  slot->steps = reader_u32(reader);
  uint8_t how = reader_u8(reader);
  slot->live = how & SLOT_LIVE;
  slot->stage = how & SLOT_STAGED ? reader_u32(reader) : 0;
  reader_get(reader, &slot->env_rng, sizeof slot->env_rng);
  for (size_t t = 0; t < teams_kept(play); t++) {
    double value = reader_f64(reader);
    whole &= isfinite(value) != 0;
    if (t < env->spec.teams) slot->team_return[t] = value;
  }
  const uint8_t known = SLOT_LIVE | SLOT_SIZED | SLOT_STAGED | SLOT_EARNED;
  if (reader->bad || how > known || !whole)
    return status_set(ERR_FORMAT, "the state of a slot is damaged");
  if (how & SLOT_SIZED) TRY_RETURN(check_episode_size(play, reader));
  if (env_copies(env) || (env_saves(env) && slot->live))
    TRY_RETURN(env_load(env, slot->state, reader));
  reader_get(reader, slot->memory, env->spec.agents * play->memory * sizeof(float));
  for (uint32_t a = 0; how & SLOT_EARNED && a < env->spec.agents; a++) {
    const double value = reader_f64(reader);
    if (!isfinite(value)) return status_set(ERR_FORMAT, "the state of a slot is damaged");
    if (slot->earned) slot->earned[a] = value;
  }
  if (reader->bad || !finite_floats(slot->memory, env->spec.agents * play->memory))
    return status_set(ERR_FORMAT, "the state of a slot is damaged");
  *abandoned = slot->live && !env_saves(env);
  if (!*abandoned) return OK;
  slot->live = false;
  slot->episode++;
  return OK;
}
