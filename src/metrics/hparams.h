/* What TensorBoard shows of a configuration: a text, and the hyper-parameters of its plug-in
 * "hparams", by which it compares runs. A session is a run, with a start and an end; its numbers
 * are those of the folders below that in which it is told of. */
#pragma once
#include "base/bytes.h"
#include "metrics/metrics.h"

/* Each appends a value to a Summary. */
void hparams_put_text(Bytes *summary, const MetricsAbout *about);
void hparams_put_start(Bytes *summary, const MetricsAbout *about, double seconds);
void hparams_put_end(Bytes *summary, double seconds);
