// SPDX-License-Identifier: Apache-2.0
// The models that the library is compiled for, as types.
#pragma once

#include "megalith/models/flat.h"
#include "megalith/models/patched.h"
#include "megalith/nn/transformer_block.h"

namespace megalith {

/// The plain byte transformer.
template <class S>
using Vanilla = Flat<TransformerBlock<S>>;
/// MEGABYTE: a global model over patches, a local model inside each.
template <class S>
using Megabyte = Patched<TransformerBlock<S>, Vanilla<S>>;
/// Three scales: patches of patches of bytes.
template <class S>
using ThreeScale = Patched<TransformerBlock<S>, Megabyte<S>>;

// In float they are compiled once, in src/models/instantiate.cpp.
extern template struct TransformerBlock<float>;
extern template struct Stack<TransformerBlock<float>>;
extern template struct Flat<TransformerBlock<float>>;
extern template struct Patched<TransformerBlock<float>, Vanilla<float>>;
extern template struct Patched<TransformerBlock<float>, Megabyte<float>>;

}  // namespace megalith
