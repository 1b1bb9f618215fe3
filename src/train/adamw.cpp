// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/adamw.h"

#include <cmath>

#include "megalith/core/check.h"

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
    first_.push_back(zeros_like(*p.tensor));
    second_.push_back(zeros_like(*p.tensor));
    decays_.push_back(decays(p.role));
  }
}

std::string AdamW::settings() const {
  return text("beta1 ", config_.beta1, ", beta2 ", config_.beta2, ", eps ", config_.eps, ", weight decay ",
              config_.weight_decay);
}

void AdamW::visit_state(const Visitor<Tensor<float>>& f) {
  for (std::size_t p = 0; p < first_.size(); ++p) f("first", p, first_[p], StateNumbers::finite);
  // Mean squares may be too large for a float.
  for (std::size_t p = 0; p < second_.size(); ++p) f("second", p, second_[p], StateNumbers::not_negative);
}

void AdamW::update(const Context& ctx, std::span<const Parameter> values, std::span<const Parameter> gradients, double lr,
                   double gradient_scale, std::int64_t t) {
  // What is the same for all numbers is computed once, in double.
  const double time = static_cast<double>(t);
  const float scale = static_cast<float>(gradient_scale);
  const float keep_first = static_cast<float>(config_.beta1), add_first = static_cast<float>(1 - config_.beta1);
  const float keep_second = static_cast<float>(config_.beta2), add_second = static_cast<float>(1 - config_.beta2);
  const float step = static_cast<float>(lr / (1 - std::pow(config_.beta1, time)));
  const float unbias = static_cast<float>(1 / std::sqrt(1 - std::pow(config_.beta2, time)));
  const float eps = static_cast<float>(config_.eps);
  const float shrink = static_cast<float>(1 - lr * config_.weight_decay);

  chunks_.parallel_pieces(ctx, [&](const ParameterChunk& piece) {
    const std::size_t p = piece.parameter;
    auto g = ParameterChunks::view(*gradients[p].tensor, piece).array();
    auto m = ParameterChunks::view(first_[p], piece).array();
    auto v = ParameterChunks::view(second_[p], piece).array();
    auto w = ParameterChunks::view(*values[p].tensor, piece).array();
    m = keep_first * m + (add_first * scale) * g;
    v = keep_second * v + add_second * (scale * g).square();
    w = (decays_[p] ? shrink : 1.0f) * w - step * m / (v.sqrt() * unbias + eps);
    g.setZero();
  });
}

}  // namespace megalith
