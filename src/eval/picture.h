/* A position as a picture in text, for people: boards and maps get a frame, whoever shows it. */
#pragma once
#include "base/bytes.h"
#include "eval/line.h"

/* Appends the env's picture, each line behind `indent`; nothing where it draws none. `unicode`:
 * else ASCII alone. `width`: sentences that are longer go on in another line; 0: never. A picture
 * that is a board (lines of equal length, each character a cell: '.' empty, letters and other signs
 * pieces) gets a frame, and the words that are typed to play: where there are as many actions as
 * columns, below them; where there are as many as cells, in the cells that may be played. A map (at
 * least four lines of one length of six or more, without spaces, before other text) gets a frame,
 * too. ERR_MEMORY. */
Status picture_put(const Position *position, const char *indent, bool unicode, size_t width,
                   Bytes *out);
