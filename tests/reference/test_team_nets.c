/* Mixers and critics against an independent implementation's numbers (team_nets_numbers.h, made by
 * make_team_nets.py). */
#include "check.h"

#include "nn/critic.h"
#include "nn/mixer.h"
#include "reference/team_nets_numbers.h"

#include <stdlib.h>
#include <string.h>

enum { TEAMS = 4, N = 3, S = 5, A = 4, MOST = 1024 };

static void to_float(const double *from, size_t count, float *to) {
  for (size_t i = 0; i < count; i++)
    to[i] = (float)from[i];
}

static void compare(const float *got, const double *told, size_t count, double epsilon) {
  for (size_t i = 0; i < count; i++)
    CHECK_NEAR(got[i], told[i], epsilon);
}

typedef struct Numbers {
  MixerKind kind;
  const double *params, *q, *state, *best;
  const int32_t *choice;
  const double *weight, *total, *gradient, *d_q;
  size_t count;
} Numbers;

#define NUMBERS(kind, name)                                                                        \
  (Numbers) {                                                                                      \
    kind, name##_params, name##_q, name##_state, name##_best, name##_choice, name##_weight,        \
        name##_total, name##_gradient, name##_d_q, COUNT_OF(name##_params)                         \
  }

/* Once as it comes, once by packed weights. */
static void check_mixer(const Numbers *n) {
  const MixerConfig config = {.embed = 6,
                              .hyper_hidden = 7,
                              .hyper_layers = 2,
                              .heads = 2,
                              .free_hidden = {{6, 5}, 2},
                              .init_gain = 1,
                              .hyper_gain = 1};
  const MixerShape shape = {.agents = N, .state = S, .choices = A};
  Mixer *mixer;
  CHECK_OK(mixer_create(n->kind, &config, &shape, &mixer));
  assert_int_equal(mixer->block, n->kind == MIXER_VDN ? 0 : n->count);
  float block[MOST], q[TEAMS * N], state[TEAMS * S], best[TEAMS * N], weight[TEAMS];
  to_float(n->params, n->count, block);
  to_float(n->q, TEAMS * N, q);
  to_float(n->state, TEAMS * S, state);
  to_float(n->best, TEAMS * N, best);
  to_float(n->weight, TEAMS, weight);
  Activations space;
  CHECK_OK(activations_create(&mixer->graph, TEAMS, true, &space));
  float *packed = aligned_alloc(64, mixer->graph.packed[1] * sizeof(float) + 64);
  for (int way = 0; way < 2; way++) {
    float gradient[MOST] = {0}, total[TEAMS];
    if (way) graph_pack(&mixer->graph, block, true, packed);
    mixer_load(mixer, &(MixerInput){q, state, best, n->choice}, TEAMS, &space);
    mixer_forward(mixer, block, way ? packed : NULL, &space, TEAMS, total);
    compare(total, n->total, TEAMS, 1e-5);
    mixer_backward(mixer, block, way ? packed : NULL, gradient, &space, TEAMS, weight, NULL, NULL);
    compare(space.grad[mixer->q], n->d_q, TEAMS * N, 1e-5);
    compare(gradient, n->gradient, mixer->block, 1e-5);
  }
  free(packed);
  activations_destroy(&space);
  mixer_destroy(mixer);
}

static void vdn(void **state) {
  (void)state;
  check_mixer(&NUMBERS(MIXER_VDN, vdn));
}

static void qmix(void **state) {
  (void)state;
  check_mixer(&NUMBERS(MIXER_QMIX, qmix));
}

static void qplex(void **state) {
  (void)state;
  check_mixer(&NUMBERS(MIXER_QPLEX, qplex));
}

static void free_mixer(void **state) {
  (void)state;
  check_mixer(&NUMBERS(MIXER_FREE, free));
}

/* Three steps of two teams: agents die, one sequence starts afresh in the middle. */
static void critic_of_everything(void **state) {
  (void)state;
  enum { T = 3, B = 2, O = 4, R = T * B * N };
  const NetConfig config = {.hidden = {{6, 5}, 2},
                            .activation = ACT_TANH - 1,
                            .layer_norm = true,
                            .memory = 1,
                            .memory_size = 4,
                            .normalise_observations = true};
  const CriticShape shape = {.agents = N,
                             .state = S,
                             .observation = O,
                             .observation_type = AGON_F32,
                             .agent_id = true,
                             .alive = true};
  Critic *critic;
  CHECK_OK(critic_create(&config, &shape, &critic));
  size_t params = COUNT_OF(critic_params);
  assert_int_equal(critic->graph.params, params);
  assert_int_equal(critic->block, params + COUNT_OF(critic_constants));
  assert_int_equal(critic->observation_mean_at, params);
  assert_int_equal(critic->observation_scale_at, params + O);
  assert_int_equal(critic->state_mean_at, params + 2 * O);
  assert_int_equal(critic->state_scale_at, params + 2 * O + S);
  assert_int_equal(critic->return_at, params + 2 * O + 2 * S);
  float block[MOST], gradient[MOST] = {0}, observation[R * O], team[T * B * S],
                     states[(B * N + 1) * 4], weight[R];
  float value[R];
  to_float(critic_params, params, block);
  to_float(critic_constants, COUNT_OF(critic_constants), block + params);
  to_float(critic_observation, R * O, observation);
  to_float(critic_state, T * B * S, team);
  to_float(critic_states, COUNT_OF(critic_states), states);
  to_float(critic_weight, R, weight);
  Activations space;
  CHECK_OK(activations_create(&critic->graph, R, true, &space));
  Sequences seq = {.B = B * N,
                   .T = T,
                   .restart = critic_restart,
                   .states = states,
                   .S = critic->graph.state_size,
                   .hold = critic_hold};
  critic_load(critic, &(CriticInput){team, observation, critic_alive}, R, &space);
  critic_forward(critic, block, NULL, &space, &seq, value, NULL);
  compare(value, critic_value, R, 1e-5);
  critic_backward(critic, block, NULL, gradient, &space, &seq, weight, NULL, NULL);
  compare(gradient, critic_gradient, params, 5e-5);
  activations_destroy(&space);
  critic_destroy(critic);
}

static void critic_of_the_state(void **state) {
  (void)state;
  const NetConfig config = {.hidden = {{6, 5}, 2}, .activation = ACT_RELU - 1};
  const CriticShape shape = {.agents = N, .state = S};
  Critic *critic;
  CHECK_OK(critic_create(&config, &shape, &critic));
  size_t params = COUNT_OF(state_critic_params);
  assert_int_equal(critic->graph.params, params);
  float block[MOST] = {0}, gradient[MOST] = {0}, team[TEAMS * S], weight[TEAMS * N],
        value[TEAMS * N];
  to_float(state_critic_params, params, block);
  block[critic->return_at + 1] = 1;
  to_float(state_critic_state, TEAMS * S, team);
  to_float(state_critic_weight, TEAMS * N, weight);
  Activations space;
  CHECK_OK(activations_create(&critic->graph, TEAMS * N, true, &space));
  Sequences seq = {.B = TEAMS * N, .T = 1};
  critic_load(critic, &(CriticInput){.state = team}, TEAMS * N, &space);
  critic_forward(critic, block, NULL, &space, &seq, value, NULL);
  compare(value, state_critic_value, TEAMS * N, 1e-5);
  critic_backward(critic, block, NULL, gradient, &space, &seq, weight, NULL, NULL);
  compare(gradient, state_critic_gradient, params, 1e-5);
  activations_destroy(&space);
  critic_destroy(critic);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(vdn),
                                     cmocka_unit_test(qmix),
                                     cmocka_unit_test(qplex),
                                     cmocka_unit_test(free_mixer),
                                     cmocka_unit_test(critic_of_everything),
                                     cmocka_unit_test(critic_of_the_state)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
