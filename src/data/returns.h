/* Advantages and targets over one unroll of n decisions. reward, discount, value: n; discount[t] is
 * 0 at a termination. `bootstrap` is the value after the last decision (ignored where its discount
 * is 0). Outputs may not alias inputs. */
#pragma once
#include <stddef.h>

/* Generalised advantage estimation (Schulman et al. 2016, eq. 16). */
void returns_gae(const float *reward, const float *discount, const float *value, float bootstrap,
                 float lambda, size_t n, float *advantage);
/* lambda-returns: G_t = r_t + d_t ((1 - lambda) v_{t+1} + lambda G_{t+1}); next_value: n values
 * after each decision. */
void returns_lambda(const float *reward, const float *discount, const float *next_value,
                    float lambda, size_t n, float *target);
/* V-trace (Espeholt et al. 2018, eq. 1 and section 4.1): log_rho = log pi - log mu. Targets vs and
 * policy-gradient advantages, clipped at clip_rho, clip_pg; the trace coefficients are lambda *
 * min(1, rho). */
void returns_vtrace(const float *reward, const float *discount, const float *value, float bootstrap,
                    const float *log_rho, float clip_rho, float clip_pg, float lambda, size_t n,
                    float *vs, float *advantage);
/* UPGO (Vinyals et al. 2019, methods): returns that follow the trajectory while it is better than
 * expected: G_t = r_t + d_t (q_{t+1} >= v_{t+1} ? G_{t+1} : v_{t+1}); advantage = min(1, rho) (G_t
 * - v_t). */
void returns_upgo(const float *reward, const float *discount, const float *value, float bootstrap,
                  const float *log_rho, size_t n, float *advantage);
