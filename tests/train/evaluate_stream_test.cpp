// SPDX-License-Identifier: Apache-2.0
// Evaluation without windows: each file is one sequence.
#include <gtest/gtest.h>

#include <map>
#include <numbers>

#include "megalith/models/scan.h"
#include "megalith/train/evaluate.h"
#include "support/small_models.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

std::string some_bytes(Index n, std::uint64_t seed) {
  std::string s;
  for (Index i = 0; i < n; ++i) s += static_cast<char>(random_bits({seed}, static_cast<std::uint64_t>(i)));
  return s;
}

/// The bits of all bytes in one call, padded to whole units.
std::vector<float> bits_at_once(const AnyModel& model, std::span<const std::uint8_t> bytes) {
  Workspace workspace(1);
  const Index unit = model.unit(), padded = (std::ssize(bytes) + unit - 1) / unit * unit;
  std::vector<std::uint8_t> all(bytes.begin(), bytes.end());
  all.resize(static_cast<std::size_t>(padded));
  std::vector<float> bits(all.size());
  model.score(Context(workspace), {all.data(), 1, padded}, bits);
  bits.resize(bytes.size());
  for (float& b : bits) b /= std::numbers::ln2_v<float>;
  return bits;
}
std::vector<float> bits_at_once(const AnyModel& model, const std::string& bytes) {
  return bits_at_once(model, std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

EvaluateConfig streaming(Index piece = 0) {
  EvaluateConfig config;
  config.length = piece;
  config.stream = true;
  return config;
}

/// The bits of each file, whose bytes must come in order.
std::map<std::string, std::vector<float>> bits_of(const AnyModel& model, const CorpusSlice& data, EvaluateConfig config) {
  std::map<std::string, std::vector<float>> bits;
  config.losses = [&](const CorpusFile& file, std::int64_t offset, std::span<const float> some) {
    EXPECT_EQ(offset, std::ssize(bits[file.path]));
    bits[file.path].insert(bits[file.path].end(), some.begin(), some.end());
  };
  Workspace workspace(2);
  const Evaluation all = evaluate(model, workspace, data, config);
  std::size_t bytes = 0;
  for (const auto& [path, each] : bits) bytes += each.size();
  EXPECT_EQ(all.bytes, static_cast<std::int64_t>(bytes));
  return bits;
}

class EvaluateStream : public ::testing::TestWithParam<SmallModel> {};

INSTANTIATE_TEST_SUITE_P(Models, EvaluateStream, ::testing::ValuesIn(endless_models()),
                         [](const auto& info) { return info.param.name; });

TEST_P(EvaluateStream, EachFileIsOneSequenceWhateverThePieces) {
  const auto model = make_small(GetParam());
  const TemporaryFolder folder;
  std::map<std::string, std::vector<float>> expected;
  std::vector<std::string> paths;
  for (const Index size : {Index{1}, Index{33}, Index{5003}, Index{10001}}) {  // more than a window, more than a piece
    const std::string bytes = some_bytes(size, static_cast<std::uint64_t>(size));
    paths.push_back(folder.write(std::to_string(size), bytes));
    expected[paths.back()] = bits_at_once(*model, bytes);
  }
  const Corpus corpus(paths);
  for (const Index piece : {0, 4, 32, 100, 1000, 20000}) {
    const auto found = bits_of(*model, corpus.all(), streaming(piece));
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [path, bits] : expected) {
      double sum = 0, expected_sum = 0;
      ASSERT_EQ(found.at(path).size(), bits.size());
      for (std::size_t i = 0; i < bits.size(); ++i) {
        ASSERT_NEAR(found.at(path)[i], bits[i], 3e-4f) << path << ", pieces of " << piece << ", byte " << i;
        sum += static_cast<double>(found.at(path)[i]), expected_sum += static_cast<double>(bits[i]);
      }
      EXPECT_NEAR(sum / static_cast<double>(bits.size()), expected_sum / static_cast<double>(bits.size()), 1e-5) << piece;
    }
  }
}

TEST_P(EvaluateStream, OneWindowMayBeAsLongAsTheFile) {
  const auto model = make_small(GetParam());
  const TemporaryFolder folder;
  const std::string bytes = some_bytes(1000, 7);
  const std::string path = folder.write("x", bytes);
  const Corpus corpus({path});
  EvaluateConfig window;
  window.length = 1000;
  EXPECT_EQ(bits_of(*model, corpus.all(), window).at(path).size(), 1000u);
  Workspace workspace(1);
  EXPECT_NEAR(evaluate(*model, workspace, corpus.all(), window).bits_per_byte(),
              evaluate(*model, workspace, corpus.all(), streaming(8)).bits_per_byte(), 1e-5);
}

TEST_P(EvaluateStream, TheSameMemoryForAFileOfAnyLength) {
  const auto model = make_small(GetParam());
  const std::string bytes = some_bytes(40000, 7);
  const std::span all(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  Workspace workspace(1);
  evaluate(*model, workspace, all.first(1000), streaming(64));
  const auto room = workspace.capacity();
  evaluate(*model, workspace, all, streaming(64));
  EXPECT_EQ(workspace.capacity(), room);
}

TEST(EvaluateStream, ReportsPiecesAndStops) {
  const auto model = make_small(endless_models()[0]);
  const std::string bytes = some_bytes(1000, 7);
  const std::span all(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  Workspace workspace(1);
  EvaluateConfig config = streaming(100);
  std::int64_t calls = 0;
  config.progress = [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(done, 100 * ++calls);
    EXPECT_EQ(total, 1000);
    return done < 700 ? Control::go_on : Control::stop;
  };
  const Evaluation result = evaluate(*model, workspace, all, config);
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.bytes, 700);
}

TEST(EvaluateStream, RecordsAreReadInTheModelsOrder) {
  // Records of 48 bytes are longer than the windows, and pieces begin inside them.
  SmallModel small = endless_models()[2];
  ASSERT_EQ(small.name, "linear_megabyte");
  small.config.length = 48;
  const auto plain = make_small(small);
  small.config.record = {48, {.kind = ScanKind::patch, .width = 4, .height = 4, .channels = 3, .tile = 2}};
  const auto model = make_small(small);
  const std::string bytes = some_bytes(10 * 48 + 5, 9);
  const std::span file = std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), 480);
  const Scan scan(small.config.record);
  const std::vector<float> expected = bits_at_once(*plain, scan.to_model("the file", file));
  for (const Index piece : {0, 20, 48, 100}) {
    std::vector<float> found;
    EvaluateConfig config = streaming(piece);
    config.losses = [&](const CorpusFile&, std::int64_t offset, std::span<const float> some) {
      EXPECT_EQ(offset, std::ssize(found));
      found.insert(found.end(), some.begin(), some.end());
    };
    Workspace workspace(1);
    const std::span whole(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    EXPECT_EQ(evaluate(*model, workspace, whole, config).left_out, 5);
    ASSERT_EQ(found.size(), 480u);
    for (std::size_t i = 0; i < 480; ++i)
      ASSERT_NEAR(found[static_cast<std::size_t>(scan.in_file(static_cast<Index>(i)))], expected[i], 3e-4f) << piece;
  }
}

TEST(EvaluateStream, Errors) {
  const auto limited = make_small(small_models()[1]), model = make_small(endless_models()[2]);  // units of 4
  const std::vector<std::uint8_t> bytes(100, 'x');
  Workspace workspace(1);
  EXPECT_ERROR(
      evaluate(*limited, workspace, bytes, streaming()),
      "the model reads at most 32 bytes at once, so that no file is one sequence; leave out stream, and let windows "
      "overlap by a stride");
  EXPECT_ERROR(evaluate(*model, workspace, bytes, streaming(6)),
               "the pieces have 6 bytes, and the model takes multiples of 4");
  EvaluateConfig config = streaming();
  config.stride = 4;
  EXPECT_ERROR(evaluate(*model, workspace, bytes, config), "stride, max_bytes and strided are about windows");
  config = streaming();
  config.max_bytes = 50;
  EXPECT_ERROR(evaluate(*model, workspace, bytes, config), "leave them out, or stream");
  config = streaming();
  config.strided = true;
  EXPECT_ERROR(evaluate(*model, workspace, bytes, config), "leave them out, or stream");
}

}  // namespace
}  // namespace megalith
