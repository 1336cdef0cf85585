/* A player with all that it lives on: what is judged, queried and played against. */
#pragma once
#include "agent/policy.h"
#include "agent/table.h"
#include "base/hash.h"

/* A player to be judged: its policy and everything that it lives on. */
typedef struct Contestant {
  char label[128];
  Policy policy;
  Inference inference;
  Net *net;
  float *block;
  Hash hash;     /* of its weights or table; 0 of a built-in */
  uint32_t side; /* 1 + the team that it can play; 0: any */
} Contestant;

/* Accepts one that is all zero. */
void contestant_destroy(Contestant *contestant);
/* What results are filed under: LABEL@HASH8 for what was learned, the name for a built-in.
 * ERR_USAGE if it does not fit. */
Status contestant_id(const Contestant *contestant, char *out, size_t size);
/* From a built-in's name: "random", "alphabeta-4". *out is the caller's (contestant_destroy).
 * ERR_USAGE. */
Status contestant_builtin(const char *name, const Env *env, Contestant *out);
/* From a program that is started and asked: "exec:COMMAND" (program.h). *out is the caller's
 * (contestant_destroy). Codes of program_create. */
Status contestant_program(const char *text, const Env *env, Contestant *out);
/* From a file of `agon export --format agon`. *out is the caller's (contestant_destroy). Codes of
 * exported_create. */
Status contestant_exported(const char *path, const Env *env, Contestant *out);
/* From an ONNX file (onnx.h). *out is the caller's (contestant_destroy). Codes of onnx_create. */
Status contestant_onnx(const char *path, const Env *env, Contestant *out);
/* From a table of what is done where; its rows are copied. *out is the caller's
 * (contestant_destroy). ERR_USAGE, ERR_MEMORY. */
Status contestant_table(const char *label, const Env *env, const TableRows *rows, Contestant *out);
/* From a policy block of `count` floats with its net's configuration; both are copied. ERR_FORMAT
 * if they do not fit one another or the env, ERR_MEMORY. */
Status contestant_policy(const char *label, const NetConfig *config, const Env *env,
                         const float *block, size_t count, Contestant *out);
