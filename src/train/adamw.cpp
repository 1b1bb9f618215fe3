// SPDX-License-Identifier: Apache-2.0
// What happens to the numbers of all parameters in a step: the norm of the gradient, the update, the average.
#include "megalith/train/adamw.h"

#include <cmath>

#include "megalith/core/check.h"
#include "megalith/train/clip.h"
#include "megalith/train/weight_average.h"

namespace megalith {

namespace {
Tensor<float> zeros_like(const Tensor<float>& t) {
  Tensor<float> zeros = t;
  zeros.fill(0);
  return zeros;
}
}  // namespace

void AdamWConfig::list_problems(Problems& problems) const {
  problems.require(beta1 >= 0 && beta1 < 1, "adamw.beta1", beta1, "from 0 to below 1");
  problems.require(beta2 >= 0 && beta2 < 1, "adamw.beta2", beta2, "from 0 to below 1");
  problems.require(eps > 0 && std::isfinite(eps), "adamw.eps", eps, "above 0");
  problems.not_negative("adamw.weight_decay", weight_decay);
}

bool decays(Role role) { return role == Role::matrix || role == Role::head; }

AdamW::AdamW(std::span<const Parameter> parameters, const AdamWConfig& config) : config_(config), chunks_(parameters) {
  for (const Parameter& p : parameters) {
    first.push_back(zeros_like(*p.tensor));
    second.push_back(zeros_like(*p.tensor));
    decays_.push_back(decays(p.role));
  }
}

/// f(piece) over pieces of chunks that fit the first cache, so that several passes over one read memory once.
template <class F>
static void for_each_piece(const Context& ctx, const ParameterChunks& chunks, F&& f) {
  constexpr Index kPiece = 1024;
  chunks.parallel(ctx, [&](const ParameterChunk& chunk, Index) {
    for (Index begin = 0; begin < chunk.size; begin += kPiece)
      f(ParameterChunk{chunk.parameter, chunk.begin + begin, std::min(kPiece, chunk.size - begin)});
  });
}

void AdamW::update(const Context& ctx, std::span<const Parameter> values, std::span<const Parameter> gradients, double lr,
                   double gradient_scale, std::int64_t t) {
  // Everything that is the same for all numbers is computed once, in double.
  const double time = static_cast<double>(t);
  const float scale = static_cast<float>(gradient_scale);
  const float keep_first = static_cast<float>(config_.beta1), add_first = static_cast<float>(1 - config_.beta1);
  const float keep_second = static_cast<float>(config_.beta2), add_second = static_cast<float>(1 - config_.beta2);
  const float step = static_cast<float>(lr / (1 - std::pow(config_.beta1, time)));
  const float unbias = static_cast<float>(1 / std::sqrt(1 - std::pow(config_.beta2, time)));
  const float eps = static_cast<float>(config_.eps);
  const float shrink = static_cast<float>(1 - lr * config_.weight_decay);

  for_each_piece(ctx, chunks_, [&](const ParameterChunk& piece) {
    const std::size_t p = piece.parameter;
    auto g = ParameterChunks::view(*gradients[p].tensor, piece).array();
    auto m = ParameterChunks::view(first[p], piece).array();
    auto v = ParameterChunks::view(second[p], piece).array();
    auto w = ParameterChunks::view(*values[p].tensor, piece).array();
    m = keep_first * m + (add_first * scale) * g;
    v = keep_second * v + add_second * (scale * g).square();
    w = (decays_[p] ? shrink : 1.0f) * w - step * m / (v.sqrt() * unbias + eps);
    g.setZero();
  });
}

double GlobalNorm::operator()(const Context& ctx, std::span<const Parameter> gradients) {
  chunks_.parallel(ctx, [&](const ParameterChunk& chunk, Index i) {
    // Few enough squares for a sum in float; the sums are added in double.
    constexpr Index kSummed = 512;
    const auto g = ParameterChunks::view(*gradients[chunk.parameter].tensor, chunk);
    double sum = 0;
    for (Index at = 0; at < chunk.size; at += kSummed) {
      const auto piece = g.segment(at, std::min(kSummed, chunk.size - at));
      const float squares = piece.squaredNorm();
      const bool in_range = squares > 1e-30f && squares < 1e30f;
      sum += in_range ? static_cast<double>(squares) : piece.cast<double>().squaredNorm();
    }
    sums_[static_cast<std::size_t>(i)] = sum;
  });
  double sum = 0;
  for (const double s : sums_) sum += s;
  return std::sqrt(sum);
}

WeightAverage::WeightAverage(const AnyModel& model, double decay)
    : decay_(decay), model_(model.clone()), parameters_(model_->parameters()), chunks_(parameters_) {}

void WeightAverage::update(const Context& ctx, std::span<const Parameter> values, std::int64_t t) {
  const double time = static_cast<double>(t);
  const float take = static_cast<float>(1 - std::min(decay_, (1 + time) / (10 + time)));
  chunks_.parallel(ctx, [&](const ParameterChunk& chunk, Index) {
    const auto w = ParameterChunks::view(*values[chunk.parameter].tensor, chunk).array();
    auto average = ParameterChunks::view(*parameters_[chunk.parameter].tensor, chunk).array();
    // In this form a weight that stands still is met exactly.
    average += take * (w - average);
  });
}

}  // namespace megalith
