#include "cli/classic_game.h"

#include "base/text.h"
#include "cli/option_words.h"
#include "meta/rating.h"

#include <math.h>
#include <string.h>

/* Whether matrix_game has a preset of this name. */
static bool is_preset(const char *word) {
  for (size_t i = 0; env_builtin(i); i++) {
    const AgonEnv *table = env_builtin(i);
    if (strcmp(table->name, "matrix_game")) continue;
    for (size_t o = 0; o < table->option_count; o++)
      if (!strcmp(table->options[o].name, "preset"))
        return text_choice(table->options[o].choices, word) >= 0;
  }
  return false;
}

/* An env comes before a preset of the same name. */
Status classic_game_open(const Command *command, const Arguments *arguments, Env **out) {
  const char *game = arguments->words ? arguments->word[0] : NULL;
  const char *pairs[COUNT_OF(arguments->word)];
  char preset[96];
  size_t count = 0;
  if (!game) return usage_error(command, "a game is needed");
  if (!env_is_builtin(game) && is_preset(game)) {
    TRY_RETURN(text_format(preset, sizeof preset, "preset=%s", game));
    pairs[count++] = preset;
    game = "matrix_game";
  }
  TRY_RETURN(option_words_check(arguments->word + 1, arguments->words - 1, game));
  for (size_t i = 1; i < arguments->words; i++)
    pairs[count++] = arguments->word[i];
  return env_create_from(game, pairs, count, out);
}

double classic_mean(const double *x, size_t n, double *half) {
  double mean = 0;
  double square = 0;
  for (size_t i = 0; i < n; i++)
    mean += x[i] / (double)n;
  for (size_t i = 0; i < n; i++)
    square += (x[i] - mean) * (x[i] - mean);
  *half = 0;
  if (n > 1) {
    const double freedom = (double)(n - 1);
    *half = meta_quantile(freedom) * sqrt(square / freedom / (double)n);
  }
  return mean;
}
