/* A policy as a table: what is done where, by the bytes of what an agent observes. It is held as a
 * built-in is, so that whoever plays, walks or asks needs to know nothing of it. */
#pragma once
#include "agent/builtin.h"

/* The contents of a table. Rows are found by table_key. */
typedef struct TableRows {
  size_t count;
  const uint64_t *key;      /* (count) no two alike */
  const float *probability; /* (count, action_count of the env) of each choice, summing to 1 */
} TableRows;

/* The key of what an agent sees: of its number and its observation, in the env's layout. Never
 * 0. */
uint64_t table_key(const Env *env, uint32_t agent, const void *observation);
/* Whether the env's actions are one choice each, as a table needs it. */
bool table_supports(const Env *env);
/* A player by the table, copied; where it has no row, or only choices that are not allowed, all
 * that are allowed are alike. *out is the caller's (builtin_destroy). ERR_USAGE where
 * table_supports says no, ERR_MEMORY. */
Status table_create(const Env *env, const TableRows *rows, BuiltinPolicy **out);
