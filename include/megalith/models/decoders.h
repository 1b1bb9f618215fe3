// SPDX-License-Identifier: Apache-2.0
// The decoders, as types.
#pragma once

#include "megalith/models/flat.h"
#include "megalith/models/patched.h"
#include "megalith/nn/perceiver_block.h"
#include "megalith/nn/transformer_block.h"

namespace megalith {

/// The vanilla byte transformer.
template <class S>
using Vanilla = Flat<TransformerBlock<S>>;
/// Perceiver AR.
template <class S>
using PerceiverAr = Flat<PerceiverBlock<S>>;
/// MEGABYTE: a global model over patches, a local model inside each.
template <class S>
using Megabyte = Patched<TransformerBlock<S>, Vanilla<S>>;
/// Three scales: patches of patches of bytes.
template <class S>
using ThreeScale = Patched<TransformerBlock<S>, Megabyte<S>>;

// What make_model() makes, in float and over any kind of block: compiled once, in src/models/any_model.cpp.
extern template struct Stack<AnyModule<float>>;
extern template struct Flat<AnyModule<float>>;
extern template struct Patched<AnyModule<float>, Flat<AnyModule<float>>>;
extern template struct Patched<AnyModule<float>, Patched<AnyModule<float>, Flat<AnyModule<float>>>>;

}  // namespace megalith
