// SPDX-License-Identifier: Apache-2.0
// Whole models against values from an independent implementation (make_golden.py, make_perceiver.py, README.md): losses and
// every gradient.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "golden/golden_values.h"
#include "megalith/io/safetensors.h"
#include "megalith/models/any_model.h"
#include "megalith/models/config_json.h"
#include "megalith/models/decoders.h"
#include "megalith/nn/linear_transformer_block.h"
#include "megalith/nn/megalodon_block.h"
#include "support/sanitized.h"

namespace megalith {
namespace {

/// One file: a model, a batch, and what comes out.
struct Golden {
  explicit Golden(const std::string& name)
      : file(std::string(MEGALITH_TEST_DATA) + "/" + name + ".safetensors"),
        config(config_from_json(file.metadata().at("config"), name)),
        scale(std::stod(file.metadata().at("scale"))),
        shape{file.info("bytes").shape.at(0), file.info("bytes").shape.at(1)},
        bytes(static_cast<std::size_t>(shape.rows())),
        losses(numbers("costs")) {
    file.read("bytes", std::span(bytes));
    config.validate();
  }

  Bytes batch() const { return {bytes.data(), shape.B, shape.T}; }
  /// A tensor of floats or doubles.
  std::vector<double> numbers(const std::string& name) const { return tests::numbers_of(file, name); }
  /// Copies the parameter of that name, whose shape must be the file's.
  template <class S>
  void parameter(const std::string& name, Tensor<S>& out) const {
    const auto& shape_in_file = file.info("param." + name).shape;
    ASSERT_EQ(std::vector<Index>(out.dims().begin(), out.dims().end()), shape_in_file) << name;
    const std::vector<double> values = numbers("param." + name);
    std::transform(values.begin(), values.end(), out.data(), [](double v) { return S(v); });
  }

  SafetensorsReader file;
  ModelConfig config;
  double scale;
  Shape shape;
  std::vector<std::uint8_t> bytes;  // (B,T)
  std::vector<double> losses;       // (B,T)
};

using tests::expect_close;

template <class Decoder>
void set_tile(Decoder& m, Index bytes) {
  if constexpr (requires { m.tile_bytes; }) {
    m.tile_bytes = bytes;
    set_tile(m.inner, bytes);
  }
}

/// The first byte of a row whose loss the file has.
template <class Decoder>
Index first_of(const Golden& golden, const Decoder& m) {
  if constexpr (requires { m.predicted(golden.shape.T); }) return golden.shape.T - m.predicted(golden.shape.T);
  else return 0;
}

/// The decoder of the file; every parameter of either must be in the other.
template <class Decoder>
Decoder decoder_of(const Golden& golden) {
  Decoder m(golden.config, 0);
  std::set<std::string> names;
  for_each_parameter(m, [&](const Name& name, auto& p) {
    ASSERT_TRUE(golden.file.contains("param." + name.str())) << name.str();
    golden.parameter(name.str(), p);
    names.insert(name.str());
  });
  for (const std::string& name : golden.file.names()) {
    const bool known = !name.starts_with("param.") || names.contains(name.substr(6));
    EXPECT_TRUE(known) << name << " is not in the model";
  }
  return m;
}

/// train(): losses and gradients. tile: bytes that an inner decoder handles at once, 0 for its default.
template <class Decoder>
void check_train(const Golden& golden, const Decoder& decoder, Index tile) {
  using S = typename Decoder::Scalar;
  Decoder m = decoder;
  if (tile > 0) set_tile(m, tile);
  Decoder grad = m;
  set_zero(grad);
  Workspace workspace(2);
  Context ctx(workspace);
  ctx.mode = Mode::train;
  typename Decoder::State state(m, golden.shape.B), dstate(m, golden.shape.B);
  typename Decoder::Tape tape(m, golden.shape);
  std::vector<S> losses(golden.losses.size(), std::numeric_limits<S>::quiet_NaN());
  state.begin(nullptr);
  m.train(ctx, golden.batch(), {}, {}, static_cast<S>(golden.scale), losses.data(), grad, state, dstate, tape);
  expect_close<S>("losses", losses, golden.losses);
  for_each_parameter(grad, [&](const Name& name, const Tensor<S>& g) {
    expect_close<S>("grad." + name.str(), g.span(), golden.numbers("grad." + name.str()));
  });
}

template <class Decoder>
void check_score(const Golden& golden, const Decoder& m) {
  using S = typename Decoder::Scalar;
  Workspace workspace(2);
  const Context ctx(workspace);
  typename Decoder::State state(m, golden.shape.B);
  std::vector<S> losses(golden.losses.size(), std::numeric_limits<S>::quiet_NaN());
  m.score(ctx, golden.batch(), {}, losses.data(), state);
  for (Index b = 0; b < golden.shape.B; ++b) std::fill_n(losses.begin() + b * golden.shape.T, first_of(golden, m), S(0));
  expect_close<S>("losses of score()", losses, golden.losses);
}

/// next() after `prompt` bytes read at once and the others one by one.
template <class Decoder>
void check_next(const Golden& golden, const Decoder& m, Index prompt) {
  using S = typename Decoder::Scalar;
  const Index B = golden.shape.B, T = golden.shape.T;
  Workspace workspace(2);
  const Context ctx(workspace);
  typename Decoder::State state(m, B, golden.config.length);
  const auto column = [&](Index from, Index n) {
    std::vector<std::uint8_t> out;
    for (Index b = 0; b < B; ++b) out.insert(out.end(), golden.batch().row(b) + from, golden.batch().row(b) + from + n);
    return out;
  };
  const std::vector<std::uint8_t> read = column(0, prompt);
  m.read(ctx, {read.data(), B, prompt}, {}, state);
  std::vector<S> losses, logits(static_cast<std::size_t>(B * kByteValues));
  std::vector<double> want;
  for (Index t = prompt; t < T; ++t) {
    const std::vector<std::uint8_t> came = column(t, 1);
    m.next(ctx, {}, state, {logits.data(), B, 1, kByteValues});
    for (Index b = 0; b < B && t >= first_of(golden, m); ++b) {
      const S* z = logits.data() + b * kByteValues;
      double sum = 0;
      for (Index v = 0; v < kByteValues; ++v) sum += std::exp(static_cast<double>(z[v]));
      losses.push_back(static_cast<S>(std::log(sum) - static_cast<double>(z[came[static_cast<std::size_t>(b)]])));
      want.push_back(golden.losses[static_cast<std::size_t>(b * T + t)]);
    }
    m.accept(came.data(), state);
  }
  expect_close<S>("losses of next()", losses, want);
}

template <class Decoder>
void check_decoder(const Golden& golden) {
  const Decoder m = decoder_of<Decoder>(golden);
  if (testing::Test::HasFatalFailure()) return;
  {
    SCOPED_TRACE("tiles of the default size");
    check_train(golden, m, 0);
  }
  if (golden.config.scales.size() > 1) {
    SCOPED_TRACE("small tiles, the last one smaller");
    check_train(golden, m, 5 * golden.config.scales[0].patch);
  }
  check_score(golden, m);
  for (const Index prompt : {Index{0}, golden.shape.T > 67 ? Index{67} : golden.shape.T / 2 + 3}) {
    SCOPED_TRACE(testing::Message() << "a prompt of " << prompt << " bytes");
    check_next(golden, m, prompt);
  }
}

template <class One, class Perceiver, class Two, class Three>
void check_file(const std::string& name) {
  const Golden golden(name);
  if (golden.config.scales[0].stack.block.get_if<PerceiverConfig>() != nullptr) return check_decoder<Perceiver>(golden);
  switch (golden.config.scales.size()) {
    case 1:
      return check_decoder<One>(golden);
    case 2:
      return check_decoder<Two>(golden);
    case 3:
      return check_decoder<Three>(golden);
    default:
      FAIL() << golden.config.scales.size() << " scales";
  }
}

class GoldenValues : public testing::TestWithParam<const char*> {};

#if !MEGALITH_SANITIZED  // kNotUnderSanitizers
TEST_P(GoldenValues, Double) {
  if (GetParam() == std::string("linear")) {
    using Block = LinearTransformerBlock<double>;
    return check_decoder<Patched<Block, Flat<Block>>>(Golden("linear"));
  }
  if (std::string(GetParam()).starts_with("megalodon"))
    return check_decoder<Flat<MegalodonBlock<double>>>(Golden(GetParam()));
  check_file<Vanilla<double>, PerceiverAr<double>, Megabyte<double>, ThreeScale<double>>(GetParam());
}
#endif

// The decoders of make_model().
TEST_P(GoldenValues, Float) {
  using One = Flat<AnyModule<float>>;
  using Two = Patched<AnyModule<float>, One>;
  check_file<One, One, Two, Patched<AnyModule<float>, Two>>(GetParam());
}

// And the model itself, with the config of the file, which is mostly of format version 1.
TEST_P(GoldenValues, AnyModel) {
  const Golden golden(GetParam());
  const std::unique_ptr<megalith::AnyModel> model = make_model(golden.config);
  for (const Parameter& p : model->parameters()) golden.parameter(p.name, *p.tensor);
  const std::unique_ptr<megalith::AnyModel> grad = model->clone();
  for (const Parameter& p : grad->parameters()) p.tensor->fill(0);
  Workspace workspace(1);
  std::vector<float> losses(golden.losses.size());
  model->train(Context(workspace), golden.batch(), static_cast<float>(golden.scale), losses, *grad,
               *model->make_tape(golden.shape));
  expect_close<float>("losses", losses, golden.losses);
  for (const Parameter& p : grad->parameters())
    expect_close<float>("grad." + p.name, p.tensor->span(), golden.numbers("grad." + p.name));
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenValues,
                         testing::Values("vanilla", "vanilla_window_rotary", "two_scale", "two_scale_options", "three_scale",
                                         "three_scale_embedders", "cross_patch", "three_scale_cross_patch", "perceiver",
                                         "perceiver_end", "perceiver_grouped", "linear", "two_scale_convolution",
                                         "three_scale_convolution", "megalodon_1head_c16_L16", "megalodon_2heads_c16_L48"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace megalith
