// SPDX-License-Identifier: Apache-2.0
//
// Which values of a graph lie in the memory of others, decided before there are steps: views of what is
// there, operands that are computed in their places within a result, and results that are computed in
// outputs.
#ifndef TENFOLD_COMPILER_VALUE_PLACES_H_
#define TENFOLD_COMPILER_VALUE_PLACES_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "tenfold/compiler/remark.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/layout.h"

namespace tenfold {

struct ValuePlaces {
  // A run of the elements of `whole`, from element `offset` on. `whole` lies in no other value in the same
  // way.
  struct Within {
    ValueId whole;
    Dim offset;
  };
  // Made from a value that is there. Nothing computes them.
  absl::flat_hash_map<ValueId, Within> views;
  // Computed where they are wanted: in the value that their one reader, a movement, would copy them to.
  absl::flat_hash_map<ValueId, Within> parts;
  // Computed in the memory of an output: the first that fetches them. Other fetches of them are copies.
  absl::flat_hash_map<ValueId, int> output_of;
  // Of movements, by output.
  absl::flat_hash_map<NodeId, std::vector<Layout>> layouts;
};

// `graph` has no composites, and the ranks of all values are known. Decisions become remarks of share-memory.
//
// An output has memory of its own, which may be the caller's, so none is a view of a feed, a constant or
// another output. A view of an intermediate keeps all of that alive: one that is much smaller and is read
// much later is a copy.
absl::StatusOr<ValuePlaces> PlaceValues(const Graph& graph, std::vector<Remark>& remarks);

// The one piece, if all of the output is one run of an input's memory; else null.
const Piece* AsRun(const Layout& layout, const Shape& output);

// The symbols that a run of the node gives.
std::vector<std::string> GivenSymbols(const Node& node);
// Whether only the node that gives the value knows how large it is.
bool HasStepsStorage(const Graph& graph, ValueId id);

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_VALUE_PLACES_H_
