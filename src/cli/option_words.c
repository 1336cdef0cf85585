#include "cli/option_words.h"

#include "base/file.h"
#include "run/view.h"

/* ERR_USAGE, saying that the word is a run and what to write instead; the run's own error where it
 * is none. */
static Status is_a_run(const char *word, const char *env) {
  RunView run;
  Status status = run_view_look(word, &run);
  if (status != OK) return status;
  status = status_set(ERR_USAGE,
                      "%s is a run, of %s, and --env asks for %s: leave --env out to play the "
                      "run's own game; beside "
                      "--env its players are called %s:NAME",
                      word, run.settings->game.title, env, word);
  run_view_close(&run);
  return status;
}

/* A folder among the options is most likely a run: saying so helps more than "no option". */
Status option_words_check(const char *const *word, size_t count, const char *env) {
  for (size_t i = 0; i < count; i++) {
    if (argument_is_pair(word[i])) continue;
    if (file_is_folder(word[i])) return is_a_run(word[i], env);
    return status_set(
        ERR_USAGE,
        "'%s' is no option of %s: behind --env stand words like env.OPTION=VALUE (agon env "
        "info %s lists them)",
        word[i], env, env);
  }
  return OK;
}
