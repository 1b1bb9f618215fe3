// SPDX-License-Identifier: Apache-2.0
// The summary of a decoder of any type.
#pragma once

#include <algorithm>
#include <string_view>

#include "megalith/kernels/gemm.h"
#include "megalith/models/byte_decoder.h"
#include "megalith/models/model_summary.h"

namespace megalith {

/// The room of a State for a sequence without an end, in bytes: far more than any sequence has.
inline constexpr Index kEndless = Index{1} << 60;

namespace detail {

/// Module<S> for Module<float>, through all template arguments.
template <class T, class S>
struct Rebind {
  static_assert(std::is_arithmetic_v<T>, "a module is a template over its scalar, so that its shapes can be asked for");
  using type = S;
};
template <template <class...> class M, class... A, class S>
struct Rebind<M<A...>, S> {
  using type = M<typename Rebind<A, S>::type...>;
};

/// What reports put before the parts of scale number `scale` of `scales`: "global ", "middle " or "local ", and nothing
/// where there is only one.
inline std::string scale_prefix(Index scale, Index scales) {
  if (scales == 1) return "";
  return scale == 0 ? "global " : scale + 1 == scales ? "local " : "middle ";
}
/// The name of a part in reports. There is one head, and one condition where there are two scales.
inline std::string part_name(std::string_view part, Index scale, Index scales) {
  const bool alone = part == "head" || (part == "condition" && scales == 2);
  return (alone ? "" : scale_prefix(scale, scales)) + std::string(part);
}

/// The part that a parameter belongs to: `inner.` leads one scale in, and what comes then is a part, or a piece of the
/// embeddings or of the embedder. The condition is counted to the scale that it conditions.
struct PartOfName {
  Index scale = 0;
  std::string part;

  explicit PartOfName(std::string_view name) {
    constexpr std::string_view kInner = "inner.";
    for (; name.starts_with(kInner); name.remove_prefix(kInner.size())) ++scale;
    part = name.substr(0, name.find('.'));
    if (part == "table" || part == "pad" || part == "positions") part = "embeddings";
    if (part == "convolution" || part == "embed" || part == "unembed") part = "embedder";
    if (part == "condition") ++scale;
  }
};

}  // namespace detail

/// Of a decoder over any scalar; a decoder of one's own is summed up as itself.
template <class Decoder>
class DecoderSummary final : public ModelSummary {
 public:
  explicit DecoderSummary(const ModelConfig& config)
      : length_(config.length), scales_(std::ssize(config.scales)), record_(config.record), shapes_(config, 0) {
    // Where a window alone fills the State less, attention may see further back than it was trained to.
    endless_ = !ends() && state_bytes(1, kEndless) == state_bytes(1, length_);
  }

  Index unit() const override { return shapes_.patch_size(); }
  std::optional<Index> max_length() const override { return endless_ ? std::nullopt : std::optional(length_); }
  std::optional<Index> window() const override { return length_; }
  Index predicted(Index T) const override {
    if constexpr (requires { shapes_.predicted(T); }) return shapes_.predicted(T);
    else return T;
  }
  RecordConfig record() const override { return record_; }
  bool batch_invariant() const override {
    constexpr Index kVector = 16;  // floats in the longest vector, and in the alignment of every buffer
    bool whole = std::string_view(gemm_backend()) != "Eigen";
    for_each_parameter(shapes_, [&](const Name& name, const auto& p) {
      if (name.role != Role::matrix) return;
      // What is multiplied by the condition's matrix is read by that product alone.
      const bool rows = detail::PartOfName(name.str()).part == "condition" || p.rows() % kVector == 0;
      whole = whole && rows && p.cols() % kVector == 0;
    });
    return whole;
  }

  std::vector<SizePart> parameters_by_part() const override {
    std::vector<SizePart> parts;
    for_each_parameter(shapes_, [&](const Name& name, const auto& p) {
      const detail::PartOfName of(name.str());
      const std::string part = detail::part_name(of.part, of.scale, scales_);
      auto found = std::find_if(parts.begin(), parts.end(), [&](const SizePart& s) { return s.name == part; });
      if (found == parts.end()) found = parts.insert(parts.end(), {part, 0});
      found->parameters += p.numbers();
    });
    return parts;
  }
  std::vector<FlopsPart> flops_by_part(Shape shape) const override {
    std::vector<FlopsPart> parts;
    for (const DecoderFlops& part : shapes_.flops_by_part(shape))
      parts.push_back({detail::part_name(part.part, part.scale, scales_), part.flops});
    return parts;
  }

  double tape_bytes(Shape shape) const override {
    return bytes(numbers_of([&] { return typename Shapes::Tape(shapes_, shape); }));
  }
  double training_scratch_bytes(Shape shape, int threads) const override {
    return bytes(shapes_.scratch(shape, Pass::backward, threads));
  }
  double scoring_scratch_bytes(Shape shape, int threads) const override {
    return bytes(shapes_.scratch(shape, Pass::step, threads));
  }
  double state_bytes(Index B, Index room) const override {
    return bytes(numbers_of([&] { return typename Shapes::State(shapes_, B, room); }));
  }

 private:
  using Shapes = typename detail::Rebind<Decoder, ShapeOnly>::type;
  static double bytes(double numbers) { return numbers * sizeof(float); }
  bool ends() const {
    if constexpr (requires { shapes_.ends(); }) return shapes_.ends();
    else return true;
  }

  Index length_, scales_;
  bool endless_ = false;
  RecordConfig record_;
  Shapes shapes_;
};

}  // namespace megalith
