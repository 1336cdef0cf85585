/* Guests: players from outside that sit in a league as frozen members. What one is, is told by a
 * text, and where that names a file, by the file's bytes: whoever has both can play it, without the
 * file being at hand. */
#pragma once
#include "agent/builtin.h"
#include "base/hash.h"

enum { GUEST_TEXT = 512 };

/* Whether the text names a file, FILE.agon or FILE.onnx. */
bool guest_is_file(const char *text);
/* What a guest is by now: *hash of a file's bytes; of a program's command, together with the bytes
 * of all files that its words name; of a built-in's name. The bytes of a file are the caller's to
 * free (*bytes; NULL: it is none). ERR_USAGE: the text is of no player; ERR_IO, ERR_MEMORY. */
Status guest_read(const char *text, char **bytes, size_t *size, Hash *hash);
/* Makes it for playing `env`; a program is started. name: what it is to the run, for messages.
 * *out is the caller's (builtin_destroy). Codes of builtin_create, program_create and
 * exported_of_bytes, with the name in front. */
Status guest_create(const char *name, const char *text, const void *bytes, size_t size,
                    const Env *env, BuiltinPolicy **out);
