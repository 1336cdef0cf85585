/* Many episodes at once with many policies. Each step gathers every agent that must act, groups
 * them by policy, runs one batched inference per policy, samples, and steps the envs. What to play
 * and what to keep is the caller's, by hooks. */
#pragma once
#include "agent/policy.h"

/* A place where one episode after another is played. */
typedef struct PlaySlot {
  uint32_t id; /* job-wide */
  uint32_t episode, steps;
  bool live;
  bool drew; /* a policy has drawn at random in this episode */
  /* Set by `begin`: the values by which the episode is reset (knobs of the env's spec), borrowed
   * until it has begun, NULL: none; and 1 + the stage of a curriculum that they are of,
   * 0: it is the task itself. */
  const float *knob;
  uint32_t stage;
  AgonRng env_rng;
  void *state;   /* episode block */
  bool created;  /* it must be given back to the env */
  float *memory; /* (agents, state_size) recurrent states */
  /* of each team */
  Policy **policy;
  uint64_t *act_key; /* tells acting streams of games with one id apart; 0 unless `begin` sets it */
  bool *record;      /* decisions of the team are passed to the hook */
  double *team_return; /* sum over agents of the team / agents of the team, openings included; by
                          the env's own rewards always */
  double *earned; /* (agents) what inequity is felt of; NULL where rewards.social does not ask */
  /* (agents) what each earned, where play_tell_agents asked for it; else NULL. Checkpoints have it
   * not */
  double *agent_return;
  void *owner;
} PlaySlot;

/* What an agent saw and did, as `decided` is told; all borrowed. */
typedef struct Decision {
  uint32_t agent;
  const Policy *policy;
  const void *observation; /* raw row */
  const uint8_t *mask;     /* (choices of the network) */
  /* (heads of the network, inner ones too) BOX: in half-ranges around the middle, not clipped */
  const AgonAction *action;
  float log_prob, value;
  const float *memory; /* recurrent state before the decision, or NULL */
  float cost; /* of the messages that the agent sent, off the reward that is learned from */
} Decision;

typedef enum TraceKind { TRACE_RESET, TRACE_CHANCE, TRACE_STEP } TraceKind;

/* What to play and what to keep. */
typedef struct PlayHooks {
  void *context;
  /* A slot is free: set its policies (and owner) and return true, or return false to leave it idle.
   */
  bool (*begin)(void *context, PlaySlot *slot);
  /* recorded teams only */
  void (*decided)(void *context, PlaySlot *slot, const Decision *decision);
  /* After a step: what is to be learned from it, per agent: the env's rewards, or what
   * play_learn_by made of them; flags before the step's effects are gone. */
  void (*rewarded)(void *context, PlaySlot *slot, const float *reward);
  void (*ended)(void *context, PlaySlot *slot, AgonStatus how, const float *outcome);
  /* May be NULL. What happens, for those who write it down: TRACE_RESET (a game begins, or begins
   * anew), TRACE_CHANCE (an outcome), TRACE_STEP (before it; actions of all agents, valid for those
   * who act). */
  void (*traced)(void *context, PlaySlot *slot, TraceKind kind, const AgonAction *actions,
                 uint32_t outcome);
  /* May be NULL. Before each step of a slot, when all of its decisions are made and told: the env's
   * flags (agents), by which those act who do. */
  void (*stepped)(void *context, PlaySlot *slot, const uint8_t *flags);
  /* May be NULL. A player that is no network has failed, by status_message. true: the caller has
   * ended all its games (`live`), and the step goes on without them; false: the step fails. */
  bool (*failed)(void *context, const Policy *policy);
} PlayHooks;

/* Counts and times since the start. */
typedef struct PlayStats {
  uint64_t steps, episodes, decisions, decisions_recorded;
  int64_t env_ns, forward_ns, sample_ns, record_ns; /* env: observing and stepping */
} PlayStats;

/* The slots of one env, and the buffers to play them. */
typedef struct Play Play;
/* `run_seed` keys all streams: the env's by (slot id, episode); each decision's by (slot id,
 * episode, step, agent) and the team's act_key, so that it depends neither on who else acts nor on
 * the order in which policies are served. chunk: most rows of one inference. net may be NULL if
 * every policy brings its own inference or is a built-in; memory: recurrent floats kept per agent,
 * at least those of every net that plays. */
Status play_create(const Env *env, const Net *net, uint64_t run_seed, size_t chunk, size_t memory,
                   const PlayHooks *hooks, Play **out);
/* Accepts NULL. */
void play_destroy(Play *play);
/* Slots that are added from now on count what each agent earns, too. */
void play_tell_agents(Play *play);
/* A new slot, the Play's own; *out is borrowed. ERR_MEMORY, ERR_ENV (the env cannot make a
 * state). */
Status play_add_slot(Play *play, uint32_t id, PlaySlot **out);
/* The first `plies` steps of every episode (vary: 0 to `plies`, drawn for each) are uniformly
 * random moves from the env's stream, the same for both games of a pair; an episode that ends
 * within them is begun again. Discrete actions. 0 (the default): off. */
void play_open_randomly(Play *play, uint32_t plies, bool vary);
/* What `rewarded` is told of recorded teams is made of the env's rewards as `config` says
 * (rewards.h; it fits the env). Before the first slot is added. */
struct RewardsConfig;
Status play_learn_by(Play *play, const struct RewardsConfig *config);
/* One env step of every live slot, beginning episodes where the hook agrees. *live: slots that
 * played. ERR_ENV if the env fails (with what it says about it) or an observation is not finite;
 * both name slot, episode and step, the latter agent and element too. ERR_INTERNAL if a network's
 * output is not finite. ERR_MEMORY, ERR_USAGE (random openings that cannot be). */
Status play_step(Play *play, size_t *live);
/* Counts and times since the start, borrowed. */
const PlayStats *play_stats(const Play *play);
/* A network policy's values of raw observation rows (count, observation_bytes) of these agents
 * (count), with the recurrent states (count, state_size) before them; states may be NULL for
 * policies without memory. */
Status play_values(Play *play, Policy *policy, size_t count, const void *observations,
                   const uint32_t *agents, const float *states, float *out);
/* A slot as it is kept in a checkpoint, without its policies. Where the env's episodes cannot be
 * saved, a game that is under way is not there: decoded, the slot is free, and *abandoned says that
 * a game was lost. */
Status slot_encode(const Play *play, const PlaySlot *slot, Bytes *out);
Status slot_decode(const Play *play, PlaySlot *slot, Reader *reader, bool *abandoned);
