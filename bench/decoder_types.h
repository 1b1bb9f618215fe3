// SPDX-License-Identifier: Apache-2.0
// The decoders that make_model() makes, by their number of scales.
#pragma once

#include "megalith/models/decoder_model.h"
#include "megalith/models/decoders.h"

namespace megalith::bench {

template <class S>
using OneScale = Flat<AnyModule<S>>;
template <class S>
using TwoScales = Patched<AnyModule<S>, OneScale<S>>;
template <class S>
using ThreeScales = Patched<AnyModule<S>, TwoScales<S>>;

/// f(the decoder of a model that make_model() made).
template <class F>
void with_decoder(const AnyModel& model, F&& f) {
  const auto is = [&]<class Decoder>(std::type_identity<Decoder>) {
    const auto* const m = dynamic_cast<const DecoderModel<Decoder>*>(&model);
    if (m != nullptr) f(m->decoder());
    return m != nullptr;
  };
  const bool found = is(std::type_identity<OneScale<float>>()) || is(std::type_identity<TwoScales<float>>()) ||
                     is(std::type_identity<ThreeScales<float>>());
  check(found, "a decoder that make_model() does not make has no list of parts");
}

}  // namespace megalith::bench
