/* What any game can be given on top of its own rules, by keys that all games have: what neighbours
 * did last as a part of what an agent sees (mean field), and a commander for each team, whose
 * orders its agents see (hierarchy). The game itself knows nothing of it. */
#pragma once
#include "env/env.h"

/* Keys of section env that are no game's own. A game that has an option of such a name has none of
 * them. */
extern const AgonEnvOption wrap_options[];
enum { WRAP_OPTIONS = 3 };
/* Whether the game leaves these names free. */
bool wrap_offered(const AgonEnv *table);
/* Makes an env of `inner`, which becomes the new one's own, by the texts of the options; where they
 * ask for nothing *out is `inner` itself. On failure `inner` stays the caller's. ERR_USAGE: the
 * game cannot be wrapped so. */
Status env_wrap(Env *inner, const char *const *values, Env **out);
