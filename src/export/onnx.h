/* An agent as ONNX. */
#pragma once
#include "export/export.h"

/* Of the operators that are used; and of the file's own form. onnxruntime 1.12 and later. */
enum { ONNX_OPSET = 17, ONNX_IR = 8 };

/* src/export/README.md names inputs and outputs. The caller frees *out, on failure too.
 * ERR_MEMORY. */
Status export_onnx(const AgentFile *file, Bytes *out);
