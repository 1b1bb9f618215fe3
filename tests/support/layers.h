// SPDX-License-Identifier: Apache-2.0
// Makers of single layers, for the lists of modules.h.
#pragma once

#include <string>
#include <vector>

#include "megalith/models/patch_convolution.h"
#include "megalith/nn/complex_ema.h"
#include "megalith/nn/dropout.h"
#include "megalith/nn/feed_forward.h"
#include "megalith/nn/norm.h"
#include "megalith/nn/real_ema.h"
#include "megalith/nn/timestep_norm.h"

namespace megalith::tests {

/// A config that a module is tested with.
template <class Config>
struct Case {
  std::string name;
  Config config{};
  Index width_step = 1;  // widths that the module can have are multiples of it
  /// Float is compared at few sizes: the module is slow, or its derivative jumps, and float may fall on another side than
  /// double.
  bool light = false;
};

/// Makes the module of a case at some width: what the checks of testing/ take. It is one type for all configs of a module,
/// so the checks are compiled once for each module.
template <class Type>
struct MakerOf {
  typename Type::Config config{};
  Index width = 12;

  template <class S>
  auto operator()() const {
    return Type::template make<S>(config, width);
  }
};

struct Linears {
  static constexpr const char* name = "Linear";
  struct Config {
    bool bias = true;
  };
  static std::vector<Case<Config>> cases() { return {{"with bias", {true}}, {"without bias", {false}}}; }
  template <class S>
  static auto make(const Config& c, Index width) {
    return Linear<S>(width, width + 3, c.bias);
  }
};

struct Convolutions {
  static constexpr const char* name = "CausalConvolution";
  struct Config {
    Index width = 3;
    bool bias = true;
  };
  static std::vector<Case<Config>> cases() {
    return {{"of three rows", {3, true}}, {"of seven rows without bias", {7, false}}, {"of one row", {1, true}}};
  }
  template <class S>
  static auto make(const Config& c, Index width) {
    return CausalConvolution<S>(c.width, width, width + 3, c.bias);
  }
};
struct PatchConvolutions {
  static constexpr const char* name = "PatchConvolution";
  struct Config {
    bool bias = true;
  };
  static std::vector<Case<Config>> cases() { return {{"with biases", {true}, 1, true}, {"without", {false}, 1, true}}; }
  template <class S>
  static auto make(const Config& c, Index width) {
    return PatchConvolution<S>(width, c.bias);
  }
};

/// N states for each channel: more than stay in registers at once, with some left over, without, and fewer.
template <template <class> class Average>
struct AveragesOf {
  struct Config {
    Index states = 16;
  };
  static std::vector<Case<Config>> cases() {
    return {{"of 3 states", {3}}, {"of 16", {16}, 1, true}, {"of 1", {1}, 1, true}};
  }
  template <class S>
  static auto make(const Config& c, Index width) {
    return Average<S>(width, c.states);
  }
};
struct ComplexEmas : AveragesOf<ComplexEma> {
  static constexpr const char* name = "ComplexEma";
};
struct RealEmas : AveragesOf<RealEma> {
  static constexpr const char* name = "RealEma";
};

struct TimestepNorms {
  static constexpr const char* name = "TimestepNorm";
  struct Config {
    Index groups = 1, prior = 0;
  };
  static std::vector<Case<Config>> cases() {
    return {{"of one group", {1, 0}, 2}, {"of three", {3, 0}, 6, true}, {"with a prior", {4, 2}, 4, true}};
  }
  template <class S>
  static auto make(const Config& c, Index width) {
    return TimestepNorm<S>(width, c.groups, c.prior);
  }
};

struct NoConfig {};

template <template <class> class Norm>
struct NormsOf {
  using Config = NoConfig;
  static std::vector<Case<Config>> cases() { return {{"plain"}}; }
  template <class S>
  static auto make(const Config&, Index width) {
    return Norm<S>(width);
  }
};
struct LayerNorms : NormsOf<LayerNorm> {
  static constexpr const char* name = "LayerNorm";
};
struct RmsNorms : NormsOf<RmsNorm> {
  static constexpr const char* name = "RmsNorm";
};
struct Norms {
  static constexpr const char* name = "Norm";
  using Config = NormKind;
  static std::vector<Case<Config>> cases() { return {{"layer", NormKind::layer}, {"rms", NormKind::rms}}; }
  template <class S>
  static auto make(NormKind kind, Index width) {
    return Norm<S>(kind, width);
  }
};

struct Dropouts {
  static constexpr const char* name = "Dropout";
  using Config = double;
  static std::vector<Case<Config>> cases() { return {{"of 0.3", 0.3}}; }
  template <class S>
  static auto make(double rate, Index width) {
    return Dropout<S>(rate, width);
  }
};

struct FeedForwards {
  static constexpr const char* name = "FeedForward";
  using Config = FeedForwardConfig;
  static std::vector<Case<Config>> cases() {
    std::vector<Case<Config>> all;
    for (std::size_t i = 0; i < ActivationList::kNames.size(); ++i) {
      const auto kind = static_cast<Activation>(i);
      // Gated ones are tested without biases, as they are used, and computed again in backward.
      all.push_back({std::string(ActivationList::kNames[i]),
                     {.activation = kind, .bias = !is_gated(kind), .recompute = is_gated(kind)},
                     1,
                     kind == Activation::relu});
    }
    return all;
  }
  template <class S>
  static auto make(Config c, Index width) {
    c.width = width;
    c.hidden = 2 * width + 3;
    return FeedForward<S>(c);
  }
};

}  // namespace megalith::tests
