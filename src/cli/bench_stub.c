#include "cli/bench.h"
Status bench_checkpoint(Bench *bench) { (void)bench; return OK; }
Status bench_league(Bench *bench) { (void)bench; return OK; }
Status bench_scale(Bench *bench) { (void)bench; return OK; }
Status bench_comm(Bench *bench) { (void)bench; return OK; }
Status bench_train(Bench *bench) { (void)bench; return OK; }
