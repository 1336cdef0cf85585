/* The structs of agon/env.h as a plug-in saw them that was compiled before their last fields came:
 * frozen. Such a table must go on working, with zeros for what it lacks. Nothing here is ever
 * changed to follow the header. */
#pragma once
#include "agon/random.h"

#include <stddef.h>
#include <stdint.h>

typedef struct FirstError {
  char text[256];
} FirstError;

typedef union FirstAction {
  int32_t choice;
  float value;
} FirstAction;

typedef struct FirstOption {
  const char *name;
  int type;
  const char *fallback;
  double low, high;
  const char *choices;
  const char *help;
} FirstOption;

typedef struct FirstKind {
  const char *name;
  int observation_type;
  uint32_t observation_shape[3];
  float observation_low, observation_high;
  int action_kind;
  uint32_t heads;
  const uint32_t *head_size;
  const float *action_low, *action_high;
} FirstKind;

typedef struct FirstSpec {
  size_t params_size, episode_size;
  uint32_t agents, teams;
  const uint8_t *team_of;
  uint32_t kinds;
  const FirstKind *kind;
  const uint8_t *kind_of;
  uint32_t chance, global_state_size, step_limit, flags;
  float reward_low, reward_high;
} FirstSpec;

typedef struct FirstEnv {
  uint32_t abi, struct_size, spec_size, kind_size, option_size, version;
  const char *name, *summary;
  const FirstOption *options;
  size_t option_count, params_capacity;
  int (*configure)(const char *const *values, void *params, FirstSpec *spec, FirstError *error);
  int (*reset)(const void *params, void *episode, const AgonRandom *random, FirstError *error);
  int (*step)(const void *params, void *episode, const FirstAction *actions,
              const AgonRandom *random, float *reward, FirstError *error);
  void (*observe)(const void *params, const void *episode, uint32_t agent, void *row);
  void (*flags)(const void *params, const void *episode, uint8_t *flags);
  void (*unconfigure)(void *params);
  void (*mask)(const void *params, const void *episode, uint32_t agent, uint8_t *row);
  void (*outcome)(const void *params, const void *episode, float *outcome);
} FirstEnv;
