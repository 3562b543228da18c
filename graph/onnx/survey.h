// SPDX-License-Identifier: Apache-2.0
//
// All that of a model which cannot be imported, before anything is: each op, attribute and dtype once, with
// the nodes that have it.
#ifndef TENFOLD_GRAPH_ONNX_SURVEY_H_
#define TENFOLD_GRAPH_ONNX_SURVEY_H_

#include <vector>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/onnx/model_context.h"

namespace tenfold::onnx {

// E0903, E0904, E0905 and E0907; those of functions that are called are listed, too. Empty: all is known.
std::vector<Diagnostic> FindUnsupported(const ModelContext& context);

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_SURVEY_H_
