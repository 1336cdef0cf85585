/* What the terminal and its locale can show. */
#pragma once
#include <stdbool.h>

bool terminal_unicode(void);
