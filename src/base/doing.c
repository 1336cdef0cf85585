#include "base/doing.h"

_Thread_local Doing doing;
