// SPDX-License-Identifier: Apache-2.0
#include "megalith/generate/continuations.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "megalith/core/check.h"

namespace megalith {
namespace {

/// A beginning, and a generator that stands behind all of it but its last byte.
struct Beginning {
  Continuation text;
  std::shared_ptr<const Generator> parent;
};

}  // namespace

std::vector<Continuation> likeliest_continuations(const Generator& from, Index length, Index count, Index beam) {
  check(from.streams() == 1, "the generator has ", from.streams(), " streams, and continuations are of one");
  check(length >= 1, "length is ", length, ", and must be 1 or more");
  check(count >= 1, "count is ", count, ", and must be 1 or more");
  check(beam >= 0, "beam is ", beam, ", and must be 0 or more");
  beam = std::max(count, beam == 0 ? Index{8} : beam);
  std::vector<Beginning> kept{{{}, std::make_shared<Generator>(from)}};
  for (Index n = 0; n < length; ++n) {
    std::vector<Beginning> longer;
    for (Beginning& each : kept) {
      const auto generator = std::make_shared<Generator>(*each.parent);
      if (n > 0) generator->prompt(std::string_view(each.text.bytes).substr(each.text.bytes.size() - 1));
      for (const NextByte& next : generator->likeliest(std::min<Index>(beam, kByteValues)))
        longer.push_back(
            {{each.text.bytes + static_cast<char>(next.byte), each.text.bits - std::log2(next.probability)}, generator});
      each.parent.reset();  // no longer needed unless another beginning has it
    }
    const Index most = std::min(beam, std::ssize(longer));
    std::stable_sort(longer.begin(), longer.end(),
                     [](const Beginning& a, const Beginning& b) { return a.text.bits < b.text.bits; });
    longer.erase(longer.begin() + most, longer.end());
    kept = std::move(longer);
  }
  std::vector<Continuation> best;
  for (Index i = 0; i < std::min(count, std::ssize(kept)); ++i)
    best.push_back(std::move(kept[static_cast<std::size_t>(i)].text));
  return best;
}

}  // namespace megalith
