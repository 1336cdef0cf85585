/* Unfinished games of a checkpoint whose players get other ids. */
#pragma once
#include "job/config.h"

/* Player p, of so many, is map[p] from now on; LANES_GONE: its games are abandoned, and added to
 * *abandoned. ERR_FORMAT, ERR_USAGE, ERR_MEMORY leave the tree as it was. */
Status edit_lanes(const JobConfig *settings, const Net *net, const uint32_t *map, size_t players,
                  Tree *tree, uint64_t *abandoned);
