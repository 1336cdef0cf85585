#include "job/config.h"

#include "actors/lanes.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"
#include "env/bridge.h"
#include "eval/games.h"
#include "job/guests.h"
#include "job/players.h"
#include "job/plugin.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Option run_options[] = {
    {"game", OPT_TEXT, offsetof(RunConfig, game), "", 0, 0, NULL, "",
     "environment: a built-in name, the path of a plug-in, or one of Python "
     "(gymnasium:CartPole-v1)"},
    {"seed", OPT_INT, offsetof(RunConfig, seed), "1", 0, OPTION_NO_LIMIT, NULL, "",
     "keys every random stream"},
    {"pace", OPT_CHOICE, offsetof(RunConfig, pace), "pipelined", 0, 0, PACE_NAMES, "",
     "lockstep and pipelined repeat byte for byte; free never waits"},
    {"placement", OPT_CHOICE, offsetof(RunConfig, placement), "auto", 0, 0, "auto|split|shared", "",
     "split: learner ranks only learn; shared: every rank acts, the first learner.ranks also "
     "learn; auto: shared by "
     "all "
     "ranks while each has rows enough to learn from, else split by the network's arithmetic"},
    {"precision", OPT_CHOICE, offsetof(RunConfig, precision), "fp32", 0, 0, "fp32|bf16", "",
     "of products in hidden layers: bf16 uses AMX tiles or AVX512-BF16 where the processor gains "
     "by them (else fp32 "
     "stays); "
     "weights, sums, losses, heads and optimiser are fp32 always"},
    {"kernels", OPT_TEXT, offsetof(RunConfig, kernels), "auto", 0, 0, NULL, "",
     "arithmetic: auto (the best that the processor has), avx512, avx2, openblas or plain"},
    {"returns", OPT_CHOICE, offsetof(RunConfig, returns), "mean", 0, 0, "mean|sum", "",
     "one team: how its return is told, in all that people see: the mean over its agents or their "
     "sum (the default where the game says so, as published tables do: simple_spread, foraging, "
     "warehouse); nothing is learned differently"},
};

static const Option budget_options[] = {
    {"frames", OPT_INT, offsetof(ManagerConfig, frames), "2000000", 1, OPTION_NO_LIMIT, NULL,
     "frames", "learned from, all players together, until the run ends"},
    {"max_seconds", OPT_FLOAT, offsetof(ManagerConfig, max_seconds), "0", 0, OPTION_NO_LIMIT, NULL,
     OPTION_SECONDS,
     "save and end this job after so long (also 20m, 2h, 1-12:00:00); 0 = no limit; not kept for "
     "the job that resumes"},
    {"job_frames", OPT_INT, offsetof(ManagerConfig, job_frames), "0", 0, OPTION_NO_LIMIT, NULL,
     "frames",
     "save and end this job once the run has so many, as a stop that changes nothing in it (rates "
     "go by `frames`); 0 = no limit; not kept for the job that resumes"},
};

static const Option checkpoint_options[] = {
    {"seconds", OPT_FLOAT, offsetof(ManagerConfig, checkpoint_seconds), "600", 0, OPTION_NO_LIMIT,
     NULL, OPTION_SECONDS, "time between checkpoints; 0 = not by time"},
    {"ticks", OPT_INT, offsetof(ManagerConfig, checkpoint_ticks), "0", 0, OPTION_NO_LIMIT, NULL,
     "ticks", "ticks between checkpoints; 0 = not by ticks"},
    {"keep", OPT_INT, offsetof(ManagerConfig, keep), "3", 1, 1000, NULL, "files",
     "newest generations kept"},
    {"patience", OPT_FLOAT, offsetof(ManagerConfig, patience), "60", 0, OPTION_NO_LIMIT, NULL,
     OPTION_SECONDS,
     "for so long a checkpoint or a snapshot's file that cannot be written (a full disk, a server "
     "that is away) is tried again, while the job goes on; then it ends with exit code 5, and the "
     "newest generation is as it was; 0 = it ends at once"},
};

static const Option metrics_options[] = {
    {"seconds", OPT_FLOAT, offsetof(ManagerConfig, metrics_seconds), "5", 0.1, 86400, NULL,
     OPTION_SECONDS, "between lines of metrics.jsonl"},
    {"progress", OPT_FLOAT, offsetof(ManagerConfig, progress_seconds), "10", 0.1, 86400, NULL,
     OPTION_SECONDS, "between progress lines of the log"},
    {"evaluation_episodes", OPT_INT, offsetof(ManagerConfig, evaluation_episodes), "100", 0,
     1000000, NULL, "episodes",
     "one team: so many episodes of the greedy policy are played on rank 0 with each line of "
     "metrics.jsonl, but in a twentieth of the time at most, and at the end; 0 = none"},
    {"exploitability", OPT_INT, offsetof(ManagerConfig, exploitability), "0", 0, OPTION_NO_LIMIT,
     NULL, "frames",
     "between exact walks of the mains' policies on rank 0 (small games; the job waits for them); "
     "0 = never"},
};

/* What CleanRL, Stable-Baselines3, RLlib and others call these. */
static const ConfigAlias aliases[] = {
    {"lr", "learner.rate"},
    {"learning_rate", "learner.rate"},
    {"anneal_lr", "learner.rate_end"},
    {"ent_coef", "learner.entropy"},
    {"entropy_coef", "learner.entropy"},
    {"entropy_coeff", "learner.entropy"},
    {"vf_coef", "learner.value_weight"},
    {"value_coef", "learner.value_weight"},
    {"vf_loss_coeff", "learner.value_weight"},
    {"gae_lambda", "learner.lambda"},
    {"discount", "learner.gamma"},
    {"max_grad_norm", "learner.clip_norm"},
    {"grad_clip", "learner.clip_norm"},
    {"norm_adv", "learner.normalise_advantages"},
    {"algo", "learner.algorithm"},
    {"clip_coef", "ppo.clip"},
    {"clip_range", "ppo.clip"},
    {"clip_param", "ppo.clip"},
    {"clip_eps", "ppo.clip"},
    {"clip_range_vf", "ppo.value_clip"},
    {"target_kl", "ppo.kl_stop"},
    {"update_epochs", "ppo.epochs"},
    {"n_epochs", "ppo.epochs"},
    {"num_sgd_iter", "ppo.epochs"},
    {"num_minibatches", "ppo.minibatches"},
    {"n_minibatches", "ppo.minibatches"},
    {"num_envs", "actors.slots"},
    {"n_envs", "actors.slots"},
    {"num_steps", "actors.unroll"},
    {"n_steps", "actors.unroll"},
    {"rollout_length", "actors.unroll"},
    {"total_timesteps", "frames"},
    {"num_timesteps", "frames"},
    {"timesteps", "frames"},
    {"total_frames", "frames"},
    {"hidden_sizes", "net.hidden"},
    {"hidden_size", "net.hidden"},
    {"layers", "net.hidden"},
    {"width", "net.hidden"},
    {"env_id", "game"},
    {"env_name", "game"},
    {"max_time", "max_seconds"},
    {"time_limit", "max_seconds"},
    {"save_interval", "checkpoint.seconds"},
    {"save_freq", "checkpoint.seconds"},
};

/* NULL past the end. */
const ConfigAlias *job_config_alias(size_t index) {
  return index < COUNT_OF(aliases) ? &aliases[index] : NULL;
}

/* Sections point straight at the structs that roles read. Every algorithm's section is declared,
 * chosen or not, so that a file may hold several. */
Status job_config_declare(JobConfig *s) {
  config_know_aliases(s->config, aliases, COUNT_OF(aliases));
  TRY_RETURN(config_declare(s->config, "", run_options, COUNT_OF(run_options), &s->run));
  TRY_RETURN(config_declare(s->config, "", budget_options, COUNT_OF(budget_options), &s->manager));
  TRY_RETURN(config_declare(s->config, "net", net_options, net_option_count, &s->net));
  TRY_RETURN(config_declare(s->config, "learner", learn_options, learn_option_count, &s->learner));
  TRY_RETURN(config_declare(s->config, "replay", replay_options, replay_option_count, &s->replay));
  TRY_RETURN(
      config_declare(s->config, "rewards", rewards_options, rewards_option_count, &s->rewards));
  size_t algorithms = 0;
  while (algo_ops(algorithms))
    algorithms++;
  TRY_RETURN(NEW_ARRAY(s->algo_store, algorithms));
  for (size_t i = 0; i < algorithms; i++) {
    const AlgoOps *algo = algo_ops(i);
    TRY_RETURN(mem_array(&s->algo_store[i], 1, algo->config_size));
    TRY_RETURN(
        config_declare(s->config, algo->name, algo->options, algo->option_count, s->algo_store[i]));
  }
  TRY_RETURN(config_declare(s->config, "actors", actor_options, actor_option_count, &s->actors));
  TRY_RETURN(config_declare(s->config, "league", league_options, league_option_count, &s->league));
  TRY_RETURN(config_declare(s->config, "tune", tune_options, tune_option_count, &s->league.tune));
  TRY_RETURN(
      config_declare(s->config, "curriculum", stages_options, stages_option_count, &s->stages));
  TRY_RETURN(config_declare(s->config, "checkpoint", checkpoint_options,
                            COUNT_OF(checkpoint_options), &s->manager));
  return config_declare(s->config, "metrics", metrics_options, COUNT_OF(metrics_options),
                        &s->manager);
}

/* What stands first on the command line: a file, by its ending, or a game. */
void job_config_name(const char *text, JobConfigSource *source) {
  size_t size = strlen(text);
  bool yaml = (size > 5 && !strcmp(text + size - 5, ".yaml")) ||
              (size > 4 && !strcmp(text + size - 4, ".yml"));
  if (yaml)
    source->file = text;
  else
    source->game = text;
}

/* Later layers win: what a run has stored, a file, the command line. Stored limits were that job's
 * own, and are forgotten. */
static Status read_layers(JobConfig *s, const JobConfigSource *source) {
  if (source->stored) {
    TRY_RETURN(config_read_yaml_text(s->config, CONFIG_STORED, source->stored,
                                     strlen(source->stored), "the checkpoint"));
    TRY_RETURN(config_assign(s->config, CONFIG_STORED, "max_seconds", "0",
                             "default")); /* each job has its own */
    TRY_RETURN(config_assign(s->config, CONFIG_STORED, "job_frames", "0", "default"));
  }
  if (source->file) TRY_RETURN(config_read_yaml(s->config, CONFIG_FILE, source->file));
  if (source->game)
    TRY_RETURN(config_assign(s->config, CONFIG_COMMAND, "game", source->game, "command line"));
  for (size_t i = 0; i < source->override_count; i++)
    TRY_RETURN(config_parse_override(s->config, source->overrides[i]));
  if (source->preset)
    TRY_RETURN(
        config_assign(s->config, CONFIG_COMMAND, "league.preset", source->preset, "--preset"));
  return OK;
}

/* The preset lies under the file, over the defaults. Where there is one team nobody can be met:
 * without another word it plays by itself. */
static Status apply_preset(JobConfig *s) {
  const char *preset = config_peek(s->config, "league.preset");
  /* a copy: applying the preset adds assignments, which may move what peek returned */
  char name[64];
  if (!preset && s->game.teams == 1) {
    preset = "self-play";
    TRY_RETURN(config_assign(s->config, CONFIG_PRESET, "league.preset", preset, "one team"));
  }
  if (s->game.teams == 1 && s->game.returns_add)
    TRY_RETURN(config_assign(s->config, CONFIG_PRESET, "returns", "sum", "the game"));
  TRY_RETURN(text_format(name, sizeof name, "%s", preset ? preset : "alphastar-paper"));
  TRY_RETURN(league_apply_preset(s->config, name));
  return config_resolve(s->config);
}

/* One team: there are no opponents, live or past, to be matched with or to be evaluated against. */
static Status settle_one_team(JobConfig *s) {
  const char *key = s->league.main_exploiters                  ? "main_exploiters"
                    : s->league.league_exploiters              ? "league_exploiters"
                    : !league_follows(&s->league, "self_play") ? "main_rule"
                                                               : NULL;
  char full[64];
  if (s->game.teams > 1) return OK;
  if (key) {
    TRY_RETURN(text_format(full, sizeof full, "league.%s", key));
    return status_set(
        ERR_USAGE,
        "%s has one team, so there is nobody to be matched with: %s %s (%s) needs an opponent; use "
        "league.preset=self-play, or leave the preset out",
        s->game.name, full, config_value(s->config, full), config_origin(s->config, full));
  }
  s->actors.eval_share = 0;
  return OK;
}

/* Meta-games are solved as zero-sum games of two: with more teams in a game their mixtures mean
 * nothing. */
static Status check_many_teams(const JobConfig *s) {
  if (s->game.teams <= 2) return OK;
  if (s->manager.exploitability > 0)
    return status_set(ERR_USAGE,
                      "%s has %u teams, and metrics.exploitability (%s) is of games between two: "
                      "leave it out",
                      s->game.title, s->game.teams,
                      config_origin(s->config, "metrics.exploitability"));
  if (!league_has_meta(&s->league)) return OK;
  return status_set(
      ERR_USAGE,
      "%s has %u teams, and league.main_rule %s (%s) mixes opponents by a meta-game of "
      "two: choose alphastar, openai_five, fictitious or self_play",
      s->game.title, s->game.teams, config_value(s->config, "league.main_rule"),
      config_origin(s->config, "league.main_rule"));
}

/* A walk asks what a player does in a position, whatever led there. */
static Status check_walks(const JobConfig *s) {
  const bool gated = s->net.messages.kind == MESSAGES_GATED;
  const char *key = s->net.memory        ? "net.memory"
                    : s->net.last_action ? "net.last_action"
                    : gated              ? "net.messages.kind"
                                         : NULL;
  if (!key || s->manager.exploitability == 0) return OK;
  return status_set(ERR_USAGE,
                    "metrics.exploitability (%s) walks what a player does in each position, and by "
                    "%s %s (%s) that depends on what it remembers: leave one of them out",
                    config_origin(s->config, "metrics.exploitability"), key,
                    config_value(s->config, key), config_origin(s->config, key));
}

/* What one key's own range cannot say: ERR_USAGE names the keys. */
static Status check_together(const JobConfig *s) {
  if (s->actors.lanes > s->actors.slots)
    return status_set(ERR_USAGE, "actors.lanes (%lld) may not exceed actors.slots (%lld)",
                      (long long)s->actors.lanes, (long long)s->actors.slots);
  if (s->actors.slots % s->actors.lanes)
    return status_set(ERR_USAGE, "actors.slots (%lld) must be a multiple of actors.lanes (%lld)",
                      (long long)s->actors.slots, (long long)s->actors.lanes);
  if (s->actors.eval_share > 0 && (double)s->actors.lanes * (1 - s->actors.eval_share) < 1)
    return status_set(ERR_USAGE, "actors.eval_share %g leaves no lane of %lld to train on",
                      s->actors.eval_share, (long long)s->actors.lanes);
  TRY_RETURN(check_walks(s));
  return league_check(&s->league);
}

/* The kind of a team's agents, where all are of one; else the number of kinds. */
static uint32_t kind_of_team(const AgonEnvSpec *spec, uint32_t team) {
  uint32_t kind = UINT32_MAX;
  for (uint32_t a = 0; a < spec->agents; a++) {
    if (spec->team_of[a] != team) continue;
    if (kind != UINT32_MAX && kind != spec->kind_of[a]) return spec->kinds;
    kind = spec->kind_of[a];
  }
  return kind;
}

/* Sides are called by what they are made of, if each is of one kind and the kinds have names that
 * players can be called by. */
static void name_sides(JobConfig *s) {
  const AgonEnvSpec *spec = &s->env->spec;
  const char *name[SEATS];
  uint32_t kind[SEATS];
  for (uint32_t side = 0; side < SEATS; side++) {
    kind[side] = kind_of_team(spec, side);
    name[side] = kind[side] < spec->kinds ? spec->kind[kind[side]].name : NULL;
    if (!name[side] || strlen(name[side]) >= SIDE_NAME ||
        !text_is_name(name[side], strlen(name[side]) + 1))
      return;
  }
  if (!strcmp(name[0], name[1])) return;
  for (uint32_t side = 0; side < SEATS; side++)
    snprintf(s->league.side_name[side], SIDE_NAME, "%s", name[side]);
}

/* A population for each team needs teams, and two of them. */
static Status settle_sides(JobConfig *s) {
  if (s->league.sides != SIDES_SEPARATE) return OK;
  if (s->game.teams != SEATS)
    return status_set(ERR_USAGE,
                      "league.sides separate (%s) keeps a population for each of two teams, and %s "
                      "has %u: use league.sides together",
                      config_origin(s->config, "league.sides"), s->game.name, s->game.teams);
  if (s->env) name_sides(s);
  return OK;
}

/* Rules that go by evaluation games need a lane that plays them; a share that rounds to none is
 * raised to one. */
static Status settle_eval_lanes(JobConfig *s) {
  double lanes = (double)s->actors.lanes;
  if (!league_has_meta(&s->league) || s->actors.eval_share * lanes >= 1) return OK;
  if (s->actors.eval_share <= 0)
    return status_set(ERR_USAGE,
                      "league.main_rule %s goes by the games of evaluation lanes, of which "
                      "actors.eval_share 0 leaves "
                      "none: give a share over 0",
                      config_value(s->config, "league.main_rule"));
  s->actors.eval_share = (1 + 1e-9) / lanes;
  return OK;
}

/* The plug-in of a stored configuration may have moved: then the game's name is where it lies
 * now. */
static Status find_game(JobConfig *s, const JobConfigSource *source, void **plugin) {
  char path[PATH_MAX];
  ConfigLayer layer = CONFIG_DEFAULT;
  const char *game = config_peek(s->config, "game");
  if (!game || !*game)
    return status_set(
        ERR_USAGE, "which game? Give its name (agon env list), or a YAML file with 'game: NAME'");
  config_peek_layer(s->config, "game", &layer);
  if (layer != CONFIG_STORED || source->trusted) return env_find(game, &s->table, plugin);
  TRY_RETURN(plugin_find(game, source->recorded, "the stored configuration", path, sizeof path));
  if (strcmp(path, game))
    TRY_RETURN(config_assign(s->config, CONFIG_COMMAND, "game", path, "AGON_PLUGINS"));
  return env_find(path, &s->table, plugin);
}

/* Builds that were taken for the same game before, and now this one: so that whoever looks at old
 * results later knows which of them count. */
static Status accept_build(const GameFacts *then, GameFacts *now) {
  Bytes list = {0};
  char was[GAMES_BUILD];
  char is[GAMES_BUILD];
  facts_rules(then, was);
  facts_rules(now, is);
  const bool other = *was && strcmp(was, is) && !games_build_in(was, then->accepted);
  const char *const part[] = {then->accepted, other ? was : NULL};
  for (size_t i = 0; i < COUNT_OF(part); i++) {
    if (!part[i]) continue;
    if (list.size) bytes_u8(&list, ' ');
    bytes_put(&list, part[i], strlen(part[i]));
  }
  if (!list.size) return OK;
  bytes_u8(&list, 0);
  if (list.failed) {
    bytes_free(&list);
    return status_set(ERR_MEMORY, "out of memory");
  }
  now->accepted = (char *)list.data;
  return OK;
}

/* What the game is, and, where a run is gone on with, that it still is the same game by the same
 * rules. */
static Status know_game(JobConfig *s, const JobConfigSource *source) {
  TRY_RETURN(facts_of(s->env, &s->game));
  if (!source->recorded) return OK;
  char was[GAMES_BUILD];
  facts_rules(source->recorded, was);
  if (!games_build_in(was, source->accepted))
    TRY_RETURN(plugin_check_build(source->recorded, &s->game,
                                  source->where ? source->where : "the stored run"));
  return accept_build(source->recorded, &s->game);
}

/* Finds the game, a built-in one or a plug-in's, and makes it with the options of section env. On
 * failure the plug-in is closed. */
static Status open_game(JobConfig *s, const JobConfigSource *source) {
  void *plugin = NULL;
  TRY_RETURN(find_game(s, source, &plugin));
  Status status = env_declare(s->table, s->config, &s->env_options);
  if (status == OK) status = config_resolve(s->config);
  if (status == OK) status = env_create(s->table, plugin, s->config, &s->env);
  if (status != OK) env_plugin_close(plugin);
  return status == OK ? know_game(s, source) : status;
}

/* A built-in game is always there; others may not be, and knows its options better. */
static bool goes_by_facts(const JobConfig *s, const JobConfigSource *source) {
  const char *game = config_peek(s->config, "game");
  return source->facts && game && (env_is_plugin(game) || bridge_is(game));
}

/* Without the game's code: what is known of it is all there is, and s->env remains NULL. */
static Status take_facts(JobConfig *s, const GameFacts *facts) {
  TRY_RETURN(facts_copy(&s->game, facts));
  TRY_RETURN(config_declare_assigned(s->config, "env"));
  return config_resolve(s->config);
}

/* Burning in repeats whole unrolls of the piece before, as the memory is known only where an unroll
 * begins. A piece must hold them and an unroll that is new, else rows would be led up by and never
 * learned from. Without a memory nothing is repeated. */
static Status check_burn_in(const JobConfig *s) {
  const int64_t unroll = s->actors.unroll;
  const int64_t repeated = (s->replay.burn_in + unroll - 1) / unroll * unroll;
  if (!s->net.memory || repeated == 0 || s->replay.longest >= repeated + unroll) return OK;
  return status_set(
      ERR_USAGE,
      "replay.burn_in %lld (%s) makes each piece of an episode begin with %lld steps of the one "
      "before it, whole unrolls, and after them it must hold another of %lld (actors.unroll), but "
      "replay.longest is %lld: raise replay.longest to %lld or more, or lower actors.unroll or "
      "replay.burn_in",
      (long long)s->replay.burn_in, config_origin(s->config, "replay.burn_in"), (long long)repeated,
      (long long)unroll, (long long)s->replay.longest, (long long)(repeated + unroll));
}

/* Where experience is kept: a piece of an episode holds an unroll at least, of which a decision
 * that was open before is one row more. What is kept comes in pieces of any length. */
static Status settle_replay(JobConfig *s) {
  s->learner.longest = s->actors.unroll + 2;
  if (!s->env || !job_config_replay(s)) return OK;
  s->learner.longest = 0;
  if (s->replay.longest <= s->actors.unroll)
    return status_set(ERR_USAGE,
                      "replay.longest (%lld steps) must be above actors.unroll (%lld): experience "
                      "comes in unrolls",
                      (long long)s->replay.longest, (long long)s->actors.unroll);
  TRY_RETURN(check_burn_in(s));
  if (s->replay.warmup > s->replay.size)
    return status_set(ERR_USAGE, "replay.warmup (%lld episodes) may not exceed replay.size (%lld)",
                      (long long)s->replay.warmup, (long long)s->replay.size);
  const size_t seats = job_config_training_slots(s) * job_config_seats(s);
  if ((size_t)s->replay.size < seats)
    return status_set(
        ERR_USAGE,
        "replay.size (%lld episodes) is less than the %zu seats of the slots that are "
        "learned from, each of which keeps one at least: raise it, or lower "
        "actors.slots",
        (long long)s->replay.size, seats);
  return OK;
}

/* Where the game's code is not at hand. */
static const uint32_t one_choice[] = {1};
static const AgonKind unknown_layout = {.heads = 1, .head_size = one_choice};

/* Who is in which cell, for algorithms that learn from whole teams. */
static Status seat_teams(JobConfig *s) {
  const AgonEnvSpec *spec = &s->env->spec;
  if (algo_needs(s->algo, s->algo_config, &s->env->layout).rows != ROWS_TEAM) return OK;
  TRY_RETURN(NEW_ARRAY(s->agent_of, (size_t)spec->agents * team_largest(spec)));
  team_cells(spec, s->agent_of);
  return OK;
}

/* Agents that tell one another something are acted, learned and asked about together. */
static Status check_messages(const JobConfig *s) {
  const AlgoNeeds needs =
      algo_needs(s->algo, s->algo_config, s->env ? &s->env->layout : &unknown_layout);
  const char *kind = config_value(s->config, "net.messages.kind");
  if (!s->net.messages.kind) return OK;
  if (needs.rows != ROWS_TEAM)
    return status_set(
        ERR_USAGE,
        "net.messages.kind %s (%s) is for algorithms that learn from whole teams, and %s (%s) "
        "learns from each agent's own decisions: choose mappo, or ppo with ppo.rows=team, or one "
        "that learns values of teams (iql, vdn, qmix)",
        kind, config_origin(s->config, "net.messages.kind"), s->algo->name,
        config_origin(s->config, "learner.algorithm"));
  if (s->net.sharing != SHARE_ALL)
    return status_set(ERR_USAGE,
                      "net.messages.kind %s (%s) needs agents that share their weights, and by "
                      "net.sharing %s (%s) they do not: leave one of them out",
                      kind, config_origin(s->config, "net.messages.kind"),
                      config_value(s->config, "net.sharing"),
                      config_origin(s->config, "net.sharing"));
  return s->env ? policy_check(&s->net, s->env) : OK;
}

/* Who shapes how the other player learns needs the other one: in games of two who move at once,
 * both of whom learn, of the same ticks, at the same ranks. */
static Status check_partner(const JobConfig *s) {
  const AgonEnvSpec *spec = &s->env->spec;
  const bool two = spec->teams == SEATS && spec->agents == SEATS && spec->flags & AGON_SIMULTANEOUS;
  if (!algo_needs(s->algo, s->algo_config, &s->env->layout).partner) return OK;
  const char *needs =
      !two ? "a game of two players who move at once (agon env list)"
      : league_learners(&s->league) != league_sides(&s->league)
          ? "one learning player, or one on each side: league.preset=self-play, and "
            "league.sides=separate for two"
      : s->run.pace == PACE_FREE ? "a pace that repeats: pace=lockstep or pipelined"
      : s->learner.groups > 1    ? "both players at the same learner ranks: learner.groups=1"
                                 : NULL;
  if (!needs) return OK;
  return status_set(ERR_USAGE,
                    "learner.algorithm %s (%s) goes by how the other player learns, and needs %s",
                    s->algo->name, config_origin(s->config, "learner.algorithm"), needs);
}

/* Whoever learns otherwise than by its own policy's gradients has no use for a teacher's. */
static Status check_teachers(const JobConfig *s) {
  bool any = *s->learner.teacher;
  for (size_t p = 0; s->learner_of && p < s->roster.count; p++)
    any |= *s->learner_of[p].teacher != 0;
  if (!any || s->algo->taught) return OK;
  return status_set(ERR_USAGE,
                    "learner.teacher: players are pulled to a teacher by the gradient of their "
                    "policy, and %s (learner.algorithm, %s) learns none of that kind: choose ppo, "
                    "mappo, impala or mmd, or leave the teacher out",
                    s->algo->name, config_origin(s->config, "learner.algorithm"));
}

/* By which actions are drawn. Where the game's code is not at hand, only whether outputs are worths
 * matters, and that the algorithm knows without it. */
static ActionRule action_rule(const JobConfig *s) {
  return algo_needs(s->algo, s->algo_config, s->env ? &s->env->layout : &unknown_layout).rule;
}

/* *out is the caller's to destroy; on failure nothing is left. ERR_USAGE for what the user wrote,
 * with the place it came from. */
Status job_config_create(const JobConfigSource *source, JobConfig **out) {
  Status status = OK;
  JobConfig *s = NULL;
  TRY(NEW_ARRAY(s, 1));
  TRY(config_create(&s->config));
  TRY(job_config_declare(s));
  TRY(read_layers(s, source));
  TRY(stages_declare(s->config));
  TRY(players_declare(s->config));
  TRY(guests_declare(s->config));
  TRY(tune_declare(s->config));
  TRY(goes_by_facts(s, source) ? take_facts(s, source->facts) : open_game(s, source));
  TRY(apply_preset(s));
  TRY(tune_check_keys(s->config));
  s->league.tune.by_returns = s->game.teams == 1;
  TRY(check_together(s));
  TRY(settle_eval_lanes(s));
  TRY(settle_one_team(s));
  TRY(settle_sides(s));
  if (s->env) TRY(stages_read(&s->stages, s->env, s->config));
  TRY(check_many_teams(s));
  s->league.anchors = s->game.builtins; /* ratings stand on them */
  s->told = facts_told(&s->game, s->run.returns == RETURNS_SUM);
  if (s->env) measures_of(s->env, &s->measures);
  s->algo = algo_ops((size_t)s->learner.algorithm);
  s->algo_config = s->algo_store[s->learner.algorithm];
  if (s->env) TRY(algo_check(s->algo, s->algo_config, &s->env->layout));
  if (s->env) TRY(check_partner(s));
  TRY(settle_replay(s));
  if (s->env) TRY(rewards_check(s->env, &s->rewards));
  if (s->env) TRY(seat_teams(s));
  TRY(check_messages(s));
  TRY(roster_of_config(&s->league, &s->roster));
  s->net.rule = action_rule(s);
  s->net.precision = s->run.precision;
  s->learner.horizon = (double)s->manager.frames;
  TRY(players_settle(s));
  TRY(check_teachers(s));
  TRY(guests_take(s, source));
  *out = s;
  s = NULL;
done:
  job_config_destroy(s);
  return status;
}

Status job_config_take_roster(JobConfig *s, Roster *from) {
  roster_free(&s->roster);
  s->roster = *from;
  *from = (Roster){0};
  return players_settle(s);
}

/* An env that tells no global state has what the team sees together for it. */
static uint32_t global_size(const Env *env, uint32_t cells) {
  uint32_t own = env->spec.global_state_size;
  return own ? own : cells * (uint32_t)env->observation_count;
}

RowFormat job_config_format(const JobConfig *s, const Net *net) {
  const Env *env = s->env;
  const AlgoNeeds needs = algo_needs(s->algo, s->algo_config, &env->layout);
  RowFormat format = {.observation_bytes = env->observation_bytes,
                      .choices = env->action_count,
                      .heads = env->layout.heads,
                      .state = (uint32_t)net->graph.state_size,
                      .head_size = env_head_sizes(env),
                      .potential = s->rewards.shaping > 0};
  if (net->space.inner) {
    format.choices = net->space.choices;
    format.heads = net->space.heads;
    format.head_size = net->space.head_size;
  }
  if (needs.rows != ROWS_TEAM) return format;
  format.cells = team_largest(&env->spec);
  format.global = needs.global ? global_size(env, format.cells) : 0;
  format.flags = true;
  format.position = net_wants_positions(net);
  format.agents = env->spec.agents;
  format.agent_of = s->agent_of;
  return format;
}

size_t job_config_training_slots(const JobConfig *s) {
  size_t lanes = 0;
  for (uint32_t lane = 0; lane < (uint32_t)s->actors.lanes; lane++)
    lanes += !lane_is_eval(lane, s->actors.eval_share);
  return (lanes ? lanes : 1) * lanes_slots_each(&s->actors);
}

size_t job_config_seats(const JobConfig *s) {
  return s->league.sides == SIDES_SEPARATE ? 1 : s->env->spec.teams;
}

size_t job_config_item_rows(const JobConfig *s) {
  const size_t longest = (size_t)s->replay.longest;
  const size_t limit = s->env->spec.step_limit;
  return limit && limit < longest ? limit : longest;
}

const ReplayConfig *job_config_replay(const JobConfig *s) {
  AlgoNeeds needs = algo_needs(s->algo, s->algo_config, &s->env->layout);
  return needs.replay == REPLAY_NONE ? NULL : &s->replay;
}

Status job_config_algo(const JobConfig *s, const Net *net, Algo **out) {
  RowFormat format = job_config_format(s, net);
  return algo_create(s->algo, s->algo_config, net, &format, out);
}

/* Who acts and who learns, by the arithmetic that each costs: FLOP of a frame acted, of a frame
 * learned, and of a minibatch. */
Status job_config_topology(const JobConfig *s, int size, Topology *out) {
  Net *net;
  Algo *algo;
  AlgoPlan plan = algo_plan(s->algo, s->algo_config);
  TRY_RETURN(net_create(&s->net, &s->env->layout, &s->env->spec, &net));
  Status status = job_config_algo(s, net, &algo);
  if (status != OK) {
    net_destroy(net);
    return status;
  }
  /* of those who act at once, at least one team is learned from */
  const AgonEnvSpec *spec = &s->env->spec;
  const double at_once = spec->flags & AGON_SIMULTANEOUS ? team_largest(spec) : 1;
  double rows = at_once * (double)(s->actors.slots * s->actors.unroll) / (double)plan.minibatches;
  double again = 1; /* frames learned for each acted */
  if (job_config_replay(s)) {
    const RowFormat format = job_config_format(s, net);
    again = s->replay.ratio;
    rows =
        (double)s->replay.batch * (double)job_config_item_rows(s) * (double)format_cells(&format);
  }
  TopologyLoad load = {.act_flops = graph_flops_forward(&net->graph),
                       .learn_flops = again * algo_cost(algo),
                       .minibatch_flops = rows * algo_row_cost(algo)};
  algo_destroy(algo);
  net_destroy(net);
  return topology_plan(s->run.placement, (size_t)s->learner.ranks, (size_t)s->learner.groups, &load,
                       size, out);
}

void job_config_destroy(JobConfig *s) {
  if (!s) return;
  config_destroy(s->config);
  free(s->env_options);
  facts_free(&s->game);
  for (size_t i = 0; s->algo_store && algo_ops(i); i++)
    free(s->algo_store[i]);
  free(s->algo_store);
  roster_free(&s->roster);
  guests_free(s);
  free(s->learner_of);
  free(s->rules_of);
  free(s->agent_of);
  env_destroy(s->env);
  free(s);
}

/* The stream's memory is the caller's to free in any case, since a stream that fails has some,
 * too. */
Status job_config_text(const JobConfig *s, bool with_origin, char **out) {
  size_t size = 0;
  *out = NULL;
  FILE *file = open_memstream(out, &size);
  if (!file) return status_set(ERR_MEMORY, "out of memory writing the configuration");
  Status status = config_dump(s->config, file, with_origin);
  if (fclose(file)) status = status_set(ERR_MEMORY, "out of memory writing the configuration");
  return status;
}

/* Before the keys stands which plug-in is played. */
Status job_config_write(const JobConfig *s, const RunFolder *run) {
  Status status = OK;
  char path[PATH_MAX];
  char line[PATH_MAX + 128];
  char *annotated = NULL;
  Bytes text = {0};
  TRY(job_config_text(s, true, &annotated));
  TRY(run_path(run, path, sizeof path, "config.yaml"));
  if (s->game.plugin) {
    TRY(text_format(line, sizeof line, "# plug-in %s, XXH3 %s, version %u of its rules\n",
                    s->game.plugin, s->game.build, s->game.version));
    bytes_put(&text, line, strlen(line));
  }
  bytes_put(&text, annotated, strlen(annotated));
  if (text.failed) TRY(status_set(ERR_MEMORY, "out of memory writing the configuration"));
  TRY(file_write_durable(path, text.data, text.size));
done:
  bytes_free(&text);
  free(annotated);
  return status;
}
