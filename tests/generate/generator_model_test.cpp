// SPDX-License-Identifier: Apache-2.0
// Generation with real models: byte by byte it is the model that score() computes at once.
#include <gtest/gtest.h>

#include <cmath>

#include "megalith/generate/generator.h"
#include "support/small_models.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

TEST(GeneratorMemory, AWindowLargerThanTheMachineIsRefused) {
  StackConfig stack{.width = 4, .layers = 64, .block = TransformerConfig{.heads = 1}};
  stack.positions = PositionKind::none;  // so that the length costs no parameter
  const auto model = make_model({.length = Index{1} << 31, .scales = {{.patch = 1, .stack = stack}}});
  EXPECT_ERROR(Generator(*model, {}), "MB of memory");
}

class GeneratorModel : public ::testing::TestWithParam<SmallModel> {};

INSTANTIATE_TEST_SUITE_P(Models, GeneratorModel, ::testing::ValuesIn(small_models()),
                         [](const auto& info) { return info.param.name; });

std::vector<std::uint8_t> random_prompt(Index n) {
  std::vector<std::uint8_t> bytes;
  for (Index i = 0; i < n; ++i) bytes.push_back(static_cast<std::uint8_t>(random_bits({8}, static_cast<std::uint64_t>(i))));
  return bytes;
}

/// The losses of each of the 256 values of byte `at` in a window, by score(): as many windows, differing in that byte.
std::vector<float> losses_at(const AnyModel& model, Workspace& workspace, const std::vector<std::uint8_t>& before,
                             std::size_t at) {
  const Index unit = model.unit(), length = std::max(model.config().length, (std::ssize(before) + unit) / unit * unit);
  const std::size_t T = static_cast<std::size_t>(length);
  std::vector<std::uint8_t> windows(kByteValues * T, 0);
  for (std::size_t v = 0; v < kByteValues; ++v) {
    std::copy_n(before.begin(), at, windows.begin() + static_cast<Index>(v * T));
    windows[v * T + at] = static_cast<std::uint8_t>(v);
  }
  std::vector<float> all(windows.size()), losses;
  model.score(Context(workspace), {windows.data(), kByteValues, static_cast<Index>(T)}, all);
  for (std::size_t v = 0; v < kByteValues; ++v) losses.push_back(all[v * T + at]);
  return losses;
}

TEST_P(GeneratorModel, NextLogitsGiveTheCostsOfScore) {
  const auto model = make_small(GetParam());
  Workspace workspace(2);
  const Index B = 3, T = 32;
  const std::vector<std::uint8_t> bytes = random_prompt(B * T);
  std::vector<float> losses(bytes.size()), z(B * kByteValues);
  model->score(Context(workspace), {bytes.data(), B, T}, losses);
  const auto columns = [&](Index begin, Index end) {
    std::vector<std::uint8_t> some;
    for (Index b = 0; b < B; ++b) some.insert(some.end(), bytes.begin() + b * T + begin, bytes.begin() + b * T + end);
    return some;
  };
  for (Index prompt = 0; prompt < T; ++prompt) {  // also lengths that no unit divides
    const auto state = model->make_state(B);
    model->read(Context(workspace), {columns(0, prompt).data(), B, prompt}, *state);
    for (Index t = prompt; t < T; ++t) {
      model->next(Context(workspace), *state, z);
      for (Index b = 0; b < B; ++b) {
        const float* const zb = z.data() + b * kByteValues;
        double sum = 0;
        for (Index v = 0; v < kByteValues; ++v) sum += std::exp(static_cast<double>(zb[v]));
        const double loss = std::log(sum) - static_cast<double>(zb[bytes[static_cast<std::size_t>(b * T + t)]]);
        ASSERT_NEAR(loss, losses[static_cast<std::size_t>(b * T + t)], 2e-4) << "prompt " << prompt << ", byte " << t;
      }
      model->accept(columns(t, t + 1), *state);
    }
  }
}

TEST_P(GeneratorModel, GreedyIsTheLikeliestByteInTheWindow) {
  const auto model = make_small(GetParam());
  Workspace workspace(2);
  const Index hop = stride_of(GetParam());
  const bool endless = !model->max_length();
  std::vector<std::uint8_t> bytes = random_prompt(27);
  Generator generator(*model, {.temperature = 0}, 2);
  generator.prompt(bytes);
  for (Index i = 27; i < 70; ++i) {
    const Index start = i < 32 || endless ? 0 : (i - 32) / hop * hop + hop;
    const std::vector<std::uint8_t> window(bytes.begin() + start, bytes.end());
    const std::vector<float> losses = losses_at(*model, workspace, window, static_cast<std::size_t>(i - start));
    bytes.push_back(generator.next());
    const float least = *std::min_element(losses.begin(), losses.end());
    ASSERT_NEAR(losses[bytes.back()], least, 1e-4) << i;  // two may be equally likely, to rounding
  }
}

TEST_P(GeneratorModel, ThreadsAndNeighboursDoNotMatter) {
  const auto model = make_small(GetParam());
  const std::vector<std::uint8_t> prompt = random_prompt(13);
  const auto first_stream = [&](int threads, Index streams) {
    Generator generator(*model, {}, threads, streams);
    generator.prompt(prompt);
    std::vector<std::uint8_t> bytes;
    for (int i = 0; i < 40; ++i) bytes.push_back(generator.next_of_each()[0]);
    return bytes;
  };
  const auto alone = first_stream(1, 1);
  EXPECT_EQ(first_stream(2, 1), alone);
  EXPECT_EQ(first_stream(3, 3), alone);
}

TEST(GeneratorModel, StreamsLeaveNoTraceInEachOther) {
  // Of any width, also those whose rows may not be decoded together. Many streams: rounding rarely changes a byte.
  for (SmallModel small : small_models()) {
    for (const Index width : {16, 24}) {
      for (ScaleConfig& scale : small.config.scales) scale.stack.width = width;
      const auto model = make_small(small);
      const auto streams = [&](Index first, Index count) {
        Generator generator(*model, {.temperature = 3}, 2, count, first);
        generator.prompt("a prompt");
        std::vector<std::string> bytes(static_cast<std::size_t>(count));
        for (int i = 0; i < 50; ++i) {
          const auto next = generator.next_of_each();
          for (std::size_t s = 0; s < bytes.size(); ++s) bytes[s] += static_cast<char>(next[s]);
        }
        return bytes;
      };
      const std::vector<std::string> together = streams(0, 20);
      for (Index s = 0; s < 20; ++s)
        ASSERT_EQ(streams(s, 1)[0], together[static_cast<std::size_t>(s)]) << small.name << " " << width << " " << s;
    }
  }
}

}  // namespace
}  // namespace megalith
