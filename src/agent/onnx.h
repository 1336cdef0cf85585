/* Players from ONNX files (FILE.onnx), of agon export or of whoever names inputs and outputs as
 * that does (README.md here). onnxruntime runs them, a library that is opened where it is
 * installed: agon itself needs none. They are held as built-ins are, and see one position at a
 * time. */
#pragma once
#include "agent/builtin.h"
#include "base/hash.h"

enum { ONNX_NAME = 96 };

/* Where onnxruntime may lie, paths with * and ?, separated by ':'; the first that opens wins.
 * Behind them come libonnxruntime.so.1 and libonnxruntime.so where the system looks for libraries.
 * Borrowed for as long as the process lives; NULL: none. */
void onnx_look_for(const char *paths);
/* A file's player; `name` becomes that of the file, *hash its content's. *out is the caller's
 * (builtin_destroy). ERR_USAGE where onnxruntime is not there, or its inputs or outputs do not fit
 * `env`; ERR_FORMAT where the file is no model; ERR_IO, ERR_MEMORY. */
Status onnx_create(const char *path, const Env *env, char name[ONNX_NAME], Hash *hash,
                   BuiltinPolicy **out);
/* The same of a file's bytes, which may go afterwards; where: what they are, for messages. */
Status onnx_of_bytes(const char *where, const void *bytes, size_t size, const Env *env,
                     BuiltinPolicy **out);
/* The version of the library, borrowed. ERR_USAGE: there is none. */
Status onnx_version(const char **out);
