// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/evaluate.h"

#include <gtest/gtest.h>

#include <map>
#include <numbers>

#include "support/fake_model.h"
#include "support/small_models.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using tests::FakeModel;

std::string some_bytes(Index n, std::uint64_t seed) {
  std::string s;
  for (Index i = 0; i < n; ++i) s += static_cast<char>(random_bits({seed}, static_cast<std::uint64_t>(i)));
  return s;
}

/// The loss in nats of each byte of a file cut into windows of `length`, by the model's definition.
std::vector<float> expected_losses(const FakeModel& model, const std::string& bytes, Index length) {
  std::vector<float> losses, z(kByteValues);
  for (Index i = 0; i < std::ssize(bytes); ++i) {
    const auto at = [&](Index k) { return static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(k)]); };
    model.logits(i % length == 0 ? kByteValues : at(i - 1), i % length, z);
    double sum = 0;
    for (const float x : z) sum += std::exp(static_cast<double>(x));
    losses.push_back(static_cast<float>(std::log(sum)) - z[at(i)]);
  }
  return losses;
}

TEST(Evaluate, EveryByteOfEveryFileOnce) {
  const TemporaryFolder folder;
  // One byte, a unit and a bit, one window exactly, many windows and a rest that is not a multiple of the unit.
  const std::vector<Index> sizes{1, 5, 16, 16 * 700 + 7};
  std::vector<std::string> paths, contents;
  for (const Index size : sizes) {
    contents.push_back(some_bytes(size, static_cast<std::uint64_t>(size)));
    paths.push_back(folder.write(std::to_string(size), contents.back()));
  }
  const Corpus corpus(paths, "a separator is not read");
  FakeModel model(16, 4);
  model.init({3});

  for (const int threads : {1, 2}) {
    Workspace workspace(threads);
    std::map<std::string, std::vector<float>> losses;
    EvaluateConfig config;
    config.losses = [&](const CorpusFile& file, std::int64_t offset, std::span<const float> bits) {
      EXPECT_EQ(offset, std::ssize(losses[file.path]));
      losses[file.path].insert(losses[file.path].end(), bits.begin(), bits.end());
    };
    const Evaluation all = evaluate(model, workspace, corpus.all(), config);
    double sum = 0;
    for (std::size_t f = 0; f < paths.size(); ++f) {
      const std::vector<float> expected = expected_losses(model, contents[f], 16);
      ASSERT_EQ(losses[paths[f]].size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(losses[paths[f]][i], expected[i] / std::numbers::ln2_v<float>, 2e-5);
        sum += static_cast<double>(losses[paths[f]][i]);
      }
    }
    EXPECT_EQ(all.bytes, 1 + 5 + 16 + 16 * 700 + 7);
    EXPECT_NEAR(all.bits, sum, 1e-9 * sum);
    EXPECT_FALSE(all.stopped);
  }
}

TEST(Evaluate, SampleIsSpreadEvenly) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("data", some_bytes(16 * 100, 1))});
  Workspace workspace(1);
  FakeModel model(16);
  std::vector<std::int64_t> starts;
  EvaluateConfig config{.length = 0, .max_bytes = 16 * 4, .losses = {}, .progress = {}};
  config.losses = [&](const CorpusFile&, std::int64_t offset, std::span<const float>) { starts.push_back(offset / 16); };
  EXPECT_EQ(evaluate(model, workspace, corpus.all(), config).bytes, 16 * 4);
  EXPECT_EQ(starts, (std::vector<std::int64_t>{12, 37, 62, 87}));
  config.max_bytes = 1;  // never nothing
  EXPECT_EQ(evaluate(model, workspace, corpus.all(), config).bytes, 16);
  config.max_bytes = 1 << 20;
  EXPECT_EQ(evaluate(model, workspace, corpus.all(), config).bytes, 1600);
}

TEST(Evaluate, SliceEndsInsideAFile) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("a", some_bytes(40, 1)), folder.write("b", some_bytes(40, 2))});
  Workspace workspace(1);
  FakeModel model(16);
  std::vector<std::pair<std::string, std::int64_t>> pieces;
  EvaluateConfig config;
  config.losses = [&](const CorpusFile& file, std::int64_t offset, std::span<const float> bits) {
    pieces.emplace_back(text(file.path.back(), offset), std::ssize(bits));
  };
  EXPECT_EQ(evaluate(model, workspace, {&corpus, 30, 60}, config).bytes, 30);
  EXPECT_EQ(pieces, (std::vector<std::pair<std::string, std::int64_t>>{{"a30", 10}, {"b0", 16}, {"b16", 4}}));
}

std::span<const std::uint8_t> bytes_of(const std::string& s) {
  return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}

TEST(Evaluate, MemoryCountsAsAFile) {
  const TemporaryFolder folder;
  const std::string bytes = some_bytes(16 * 20 + 3, 7);
  const Corpus corpus({folder.write("data", bytes)});
  Workspace workspace(1);
  FakeModel model(16, 4);
  model.init({3});
  EvaluateConfig config;
  std::vector<std::int64_t> offsets;
  config.losses = [&](const CorpusFile& file, std::int64_t offset, std::span<const float>) {
    EXPECT_EQ(file.size, 16 * 20 + 3);
    offsets.push_back(offset);
  };
  EXPECT_EQ(evaluate(model, workspace, bytes_of(bytes), config).bits, evaluate(model, workspace, corpus.all()).bits);
  EXPECT_EQ(offsets.size(), 21u);
  EXPECT_EQ(offsets.back(), 320);
  EXPECT_ERROR(evaluate(model, workspace, bytes_of("")), "no data");
}

TEST(Evaluate, OverlappingWindowsGiveEveryByteOnceWithItsContext) {
  const auto model = tests::make_small(tests::small_models()[1]);  // windows of 32 bytes, units of 4
  Workspace workspace(1);
  for (const Index size : {5, 32, 33, 48, 49, 2000}) {
    const std::string bytes = some_bytes(size, 9);
    for (const Index stride : {4, 16, 28}) {
      std::vector<float> found;
      EvaluateConfig config{.stride = stride, .losses = {}, .progress = {}};
      config.losses = [&](const CorpusFile&, std::int64_t offset, std::span<const float> bits) {
        EXPECT_EQ(offset, std::ssize(found));
        found.insert(found.end(), bits.begin(), bits.end());
      };
      EXPECT_EQ(evaluate(*model, workspace, bytes_of(bytes), config).bytes, size);
      ASSERT_EQ(std::ssize(found), size);
      for (Index start = 0; start < size; start += stride) {  // each window from its start
        std::vector<std::uint8_t> window(32);
        const Index n = std::min<Index>(32, size - start);
        std::copy_n(bytes_of(bytes).begin() + start, n, window.begin());
        std::vector<float> losses(32);
        model->score(Context(workspace), {window.data(), 1, 32}, losses);
        for (Index i = start == 0 ? 0 : 32 - stride; i < n; ++i)
          ASSERT_NEAR(found[static_cast<std::size_t>(start + i)],
                      losses[static_cast<std::size_t>(i)] / std::numbers::ln2_v<float>, 3e-4f)
              << size << ", stride " << stride << ", byte " << start + i;
      }
    }
  }
  const EvaluateConfig wrong{.stride = 6, .losses = {}, .progress = {}};
  EXPECT_ERROR(evaluate(*model, workspace, bytes_of("x"), wrong), "the stride is 6, and must be a multiple of 4 up to 32");
}

TEST(Evaluate, AModelThatTrainsOnTheEndsOfWindowsIsReadSo) {
  const auto model = tests::make_small(tests::small_models().back());  // the last 8 bytes of 32
  const std::string bytes = some_bytes(101, 9);
  Workspace workspace(1);
  const auto bits = [&](Index stride) {
    return evaluate(*model, workspace, bytes_of(bytes), {.stride = stride, .losses = {}, .progress = {}}).bits;
  };
  EXPECT_EQ(bits(0), bits(8));
  EXPECT_NE(bits(0), bits(32));
}

TEST(Evaluate, ReportsAndStops) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("data", some_bytes(100000, 1))});
  Workspace workspace(1);
  FakeModel model(16);
  EvaluateConfig config;
  std::int64_t last = 0;
  config.progress = [&](std::int64_t done, std::int64_t total) {
    EXPECT_GT(done, last);
    EXPECT_EQ(total, 100000);
    last = done;
    return Control::go_on;
  };
  EXPECT_FALSE(evaluate(model, workspace, corpus.all(), config).stopped);
  EXPECT_EQ(last, 100000);
  config.progress = [&](std::int64_t, std::int64_t) { return Control::stop; };
  const Evaluation stopped = evaluate(model, workspace, corpus.all(), config);
  EXPECT_TRUE(stopped.stopped);
  EXPECT_EQ(stopped.bytes, 8192);
}

TEST(Evaluate, Errors) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("data", "some text")});
  Workspace workspace(1);
  FakeModel model(16, 4);
  EXPECT_ERROR(evaluate(model, workspace, CorpusSlice{}), "no data");
  EXPECT_ERROR(evaluate(model, workspace, corpus.all(), {.length = 6, .max_bytes = 0, .losses = {}, .progress = {}}),
               "6 bytes");
  EXPECT_ERROR(evaluate(model, workspace, corpus.all(), {.length = 20, .max_bytes = 0, .losses = {}, .progress = {}}),
               "up to 16");
}

TEST(Evaluate, AModelWithoutALongestWindowNeedsALength) {
  const TemporaryFolder folder;
  const std::string bytes = some_bytes(100, 1);
  const Corpus corpus({folder.write("data", bytes)});
  Workspace workspace(1);
  FakeModel model(16, 4, 0, true);
  model.init({3});
  EXPECT_ERROR(evaluate(model, workspace, corpus.all()), "the model has no longest window; name a length");
  EvaluateConfig config{.length = 6, .max_bytes = 0, .losses = {}, .progress = {}};
  const std::string message = error_of([&] { evaluate(model, workspace, corpus.all(), config); });
  EXPECT_NE(message.find("the windows have 6 bytes"), message.npos) << message;
  EXPECT_EQ(message.find("up to"), message.npos) << message;
  config.length = 40;  // more than the model's positions
  std::vector<float> losses;
  config.losses = [&](const CorpusFile&, std::int64_t, std::span<const float> bits) {
    losses.insert(losses.end(), bits.begin(), bits.end());
  };
  EXPECT_EQ(evaluate(model, workspace, corpus.all(), config).bytes, 100);
  const std::vector<float> expected = expected_losses(model, bytes, 40);
  ASSERT_EQ(losses.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(losses[i], expected[i] / std::numbers::ln2_v<float>, 2e-5);
}

}  // namespace
}  // namespace megalith
