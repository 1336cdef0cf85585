#include "agent/contestant.h"

#include "agent/exported.h"
#include "agent/onnx.h"
#include "agent/program.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Also for one that was only half made. */
void contestant_destroy(Contestant *contestant) {
  policy_release(&contestant->policy);
  builtin_destroy(contestant->policy.builtin);
  inference_destroy(&contestant->inference);
  net_destroy(contestant->net);
  free(contestant->block);
  *contestant = (Contestant){.net = NULL};
}

/* The hash tells apart players of one name: a learning player that has learned since, say. */
Status contestant_id(const Contestant *contestant, char *out, size_t size) {
  char hash[HASH_TEXT];
  if (!(contestant->hash.low | contestant->hash.high))
    return text_format(out, size, "%s", contestant->label);
  hash_text(contestant->hash, hash);
  return text_format(out, size, "%s@%.8s", contestant->label, hash);
}

/* A built-in has no network; its name is its label. */
Status contestant_builtin(const char *name, const Env *env, Contestant *out) {
  *out = (Contestant){.net = NULL};
  TRY_RETURN(text_format(out->label, sizeof out->label, "%s", name));
  return builtin_create(name, env, &out->policy.builtin);
}

/* It is filed under the name that it gives itself and its command: whoever changes a program gives
 * it another name. */
Status contestant_program(const char *text, const Env *env, Contestant *out) {
  char name[PROGRAM_NAME];
  *out = (Contestant){.net = NULL};
  TRY_RETURN(program_create(text, env, name, &out->policy.builtin));
  out->hash = hash_bytes(text, strlen(text));
  return text_format(out->label, sizeof out->label, "exec:%s", name);
}

Status contestant_exported(const char *path, const Env *env, Contestant *out) {
  *out = (Contestant){.net = NULL};
  return exported_create(path, env, out->label, &out->hash, &out->policy.builtin);
}

Status contestant_onnx(const char *path, const Env *env, Contestant *out) {
  *out = (Contestant){.net = NULL};
  return onnx_create(path, env, out->label, &out->hash, &out->policy.builtin);
}

/* The order of rows says nothing, but is that in which they were learned: another order is another
 * hash. */
Status contestant_table(const char *label, const Env *env, const TableRows *rows, Contestant *out) {
  *out = (Contestant){.net = NULL};
  TRY_RETURN(text_format(out->label, sizeof out->label, "%s", label));
  out->hash = hash_join(
      hash_bytes(rows->key, rows->count * sizeof *rows->key),
      hash_bytes(rows->probability, rows->count * env->action_count * sizeof *rows->probability));
  return table_create(env, rows, &out->policy.builtin);
}

/* The block is copied, so that the caller's may go. */
Status contestant_policy(const char *label, const NetConfig *config, const Env *env,
                         const float *block, size_t count, Contestant *out) {
  Status status = OK;
  *out = (Contestant){.net = NULL};
  TRY(text_format(out->label, sizeof out->label, "%s", label));
  TRY(policy_check(config, env));
  TRY(net_create(config, &env->layout, &env->spec, &out->net));
  if (out->net->block != count)
    TRY(status_set(ERR_FORMAT, "%s: its policy has %zu numbers, its network %zu", label, count,
                   out->net->block));
  TRY(inference_create(out->net, 256, &out->inference));
  TRY(NEW_ARRAY(out->block, count));
  memcpy(out->block, block, count * sizeof *block);
  out->hash = hash_bytes(block, count * sizeof *block);
  out->policy.block = out->block;
done:
  if (status != OK) contestant_destroy(out);
  return status;
}
