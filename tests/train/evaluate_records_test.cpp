// SPDX-License-Identifier: Apache-2.0
// Evaluation of records in an order of their own, and strided inference.
#include <gtest/gtest.h>

#include <map>
#include <numbers>

#include "megalith/models/scan.h"
#include "megalith/train/evaluate.h"
#include "support/fake_model.h"
#include "support/small_models.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

const RecordConfig kPicture{48, {.kind = ScanKind::patch, .width = 4, .height = 4, .channels = 3, .tile = 2}};

std::vector<std::uint8_t> some_bytes(Index n, std::uint64_t seed = 3) {
  std::vector<std::uint8_t> bytes;
  for (Index i = 0; i < n; ++i)
    bytes.push_back(static_cast<std::uint8_t>(random_bits({seed}, static_cast<std::uint64_t>(i))));
  return bytes;
}

struct Losses {
  std::vector<float> bits;  // in the order of the file
  Evaluation all;
};

/// Checks that each byte comes once, and in order.
Losses losses_of(const AnyModel& model, std::span<const std::uint8_t> bytes, EvaluateConfig config = {}) {
  Losses found;
  config.losses = [&](const CorpusFile&, std::int64_t offset, std::span<const float> bits) {
    EXPECT_EQ(offset, std::ssize(found.bits));
    found.bits.insert(found.bits.end(), bits.begin(), bits.end());
  };
  Workspace workspace(2);
  found.all = evaluate(model, workspace, bytes, config);
  EXPECT_EQ(found.all.bytes, std::ssize(found.bits));
  return found;
}

TEST(EvaluateRecords, LossesAreThoseOfTheModelsOrderInTheFilesOrder) {
  const auto file = some_bytes(5 * 48);
  const Scan scan(kPicture);
  const auto ordered = scan.to_model("the file", file);
  for (const Index length : {12, 24, 48, 96}) {  // parts of a record, one and two of them
    FakeModel model(length, 4);
    model.init({3});
    const Losses plain = losses_of(model, ordered);
    model.set_record(kPicture);
    const Losses found = losses_of(model, file);
    ASSERT_EQ(found.bits.size(), file.size());
    for (std::size_t i = 0; i < file.size(); ++i)
      ASSERT_EQ(found.bits[static_cast<std::size_t>(scan.in_file(static_cast<Index>(i)))], plain.bits[i])
          << length << " " << i;
    EXPECT_EQ(found.all.bits, plain.all.bits);
    EXPECT_EQ(found.all.left_out, 0);
  }
}

TEST(EvaluateRecords, WhatIsNoWholeRecordIsLeftOutAndCounted) {
  FakeModel model(24, 4);
  model.init({3});
  model.set_record(kPicture);
  const auto file = some_bytes(2 * 48 + 17);
  const Losses whole = losses_of(model, std::span(file).first(96)), found = losses_of(model, file);
  EXPECT_EQ(found.bits, whole.bits);
  EXPECT_EQ(found.all.left_out, 17);
  EXPECT_ERROR(losses_of(model, std::span(file).first(47)), "no file has a whole record of 48 bytes");
  // In the order of the file there is nothing that would need a whole one.
  model.set_record({48, {}});
  EXPECT_EQ(losses_of(model, file).bits.size(), file.size());
}

TEST(EvaluateRecords, EachFileAndEachPartOfOneBeginsWithARecord) {
  const TemporaryFolder folder;
  const auto file = some_bytes(3 * 48);
  const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
  const Corpus corpus({folder.write("a", bytes.substr(0, 50)), folder.write("b", bytes)}, "##");
  FakeModel model(48, 4);
  model.init({3});
  model.set_record(kPicture);
  const Losses expected = losses_of(model, file);
  Workspace workspace(1);
  std::vector<float> first, second;
  EvaluateConfig config;
  config.losses = [&](const CorpusFile& of, std::int64_t offset, std::span<const float> bits) {
    std::vector<float>& to = of.offset == 0 ? first : second;
    EXPECT_EQ(offset, std::ssize(to) + (of.offset == 0 ? 0 : 48));
    to.insert(to.end(), bits.begin(), bits.end());
  };
  const Evaluation all = evaluate(model, workspace, CorpusSlice{&corpus, 0, corpus.size()}, {.losses = {}, .progress = {}});
  EXPECT_EQ(all.bytes, 4 * 48);
  EXPECT_EQ(all.left_out, 2);
  evaluate(model, workspace, CorpusSlice{&corpus, 52 + 48, corpus.size()}, config);
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(second, std::vector<float>(expected.bits.begin() + 48, expected.bits.end()));
}

TEST(EvaluateRecords, ASampleIsOfWholeWindows) {
  FakeModel model(24, 4);
  model.init({3});
  const auto file = some_bytes(20 * 24);
  Workspace workspace(1);
  const auto sample = [&](const RecordConfig& record, bool with_losses) {
    model.set_record(record);
    std::vector<std::int64_t> starts;
    EvaluateConfig config{.max_bytes = 96, .losses = {}, .progress = {}};
    if (with_losses)
      config.losses = [&](const CorpusFile&, std::int64_t offset, std::span<const float>) { starts.push_back(offset); };
    EXPECT_EQ(evaluate(model, workspace, file, config).bytes, 96);
    return starts;
  };
  EXPECT_EQ(sample({24, {.kind = ScanKind::split, .sample_bytes = 2}}, true),
            (std::vector<std::int64_t>{48, 168, 288, 408}));
  sample(kPicture, false);
  EXPECT_ERROR(sample(kPicture, true), "where windows are parts of records; read all");
}

TEST(EvaluateRecords, WindowsThatDoNotBeginAtRecordsAreRefused) {
  FakeModel model(24, 4);
  model.set_record({6, {}});
  const auto file = some_bytes(100);
  EXPECT_ERROR(
      losses_of(model, file, {.stride = 8}),
      "the stride is 8, and must be a multiple of 12 up to 24: the model's windows begin at its records of 6 bytes");
  losses_of(model, file, {.stride = 24});
  model.set_record(kPicture);
  EXPECT_ERROR(losses_of(model, file, {.stride = 12}), "must be a multiple of 24 up to 24");
  model.set_record({36, {}});
  EXPECT_ERROR(losses_of(model, file), "the windows have 24 bytes, and the model's records 36; one of them must be");
}

// Of two passes, of which the second begins half a patch later, the first half of every patch, and all of the first one.
TEST(Strided, TakesTheFirstHalvesOfBothPasses) {
  const auto file = some_bytes(16 * 300 + 7);
  FakeModel model(16, 4);
  model.init({3});
  const Losses found = losses_of(model, file, {.strided = true}), plain = losses_of(model, file);
  ASSERT_EQ(found.bits.size(), file.size());
  std::vector<float> z(kByteValues);
  for (Index i = 0; i < std::ssize(file); ++i) {
    const Index in_window = i % 16, shift = in_window < 4 || in_window % 4 < 2 ? 0 : 2, position = in_window - shift;
    const Index before = position == 0 ? kByteValues : file[static_cast<std::size_t>(i - 1)];
    model.logits(before, position, z);
    double sum = 0;
    for (const float x : z) sum += std::exp(static_cast<double>(x));
    const double loss = (std::log(sum) - static_cast<double>(z[file[static_cast<std::size_t>(i)]])) / std::numbers::ln2;
    ASSERT_NEAR(static_cast<double>(found.bits[static_cast<std::size_t>(i)]), loss, 2e-5) << i;
    ASSERT_TRUE(shift > 0 || found.bits[static_cast<std::size_t>(i)] == plain.bits[static_cast<std::size_t>(i)]) << i;
  }
}

/// The same by the definition, with windows that overlap, of any model whose windows have 32 bytes.
std::vector<float> strided_losses(const AnyModel& model, std::span<const std::uint8_t> bytes, Index stride) {
  const Index length = 32, half = model.unit() / 2;
  Workspace workspace(1);
  std::vector<float> bits;
  for (Index start = 0; std::ssize(bits) < std::ssize(bytes); start += stride) {
    const auto pass = [&](Index from) {
      std::vector<std::uint8_t> window(static_cast<std::size_t>(length), 0);
      const Index n = std::clamp<Index>(std::ssize(bytes) - from, 0, length);
      std::copy_n(bytes.begin() + from, n, window.begin());
      std::vector<float> losses(static_cast<std::size_t>(length));
      model.score(Context(workspace), {window.data(), 1, length}, losses);
      return losses;
    };
    const std::vector<float> first = pass(start), second = pass(start + half);
    const Index context = start == 0 ? 0 : length - stride;
    for (Index i = context; i < length && std::ssize(bits) < std::ssize(bytes); ++i) {
      const bool begins = context == 0 && i < model.unit();  // nothing stands before this patch
      const bool late = !begins && i % model.unit() >= half;
      bits.push_back((late ? second[static_cast<std::size_t>(i - half)] : first[static_cast<std::size_t>(i)]) /
                     std::numbers::ln2_v<float>);
    }
  }
  return bits;
}

TEST(Strided, WithModelsAndWindowsThatOverlap) {
  for (const SmallModel& small : small_models()) {
    const auto model = make_small(small);
    if (model->unit() % 2 != 0) continue;
    for (const Index size : {1, 31, 32, 33, 35, 5 * 32 + 3}) {
      const auto file = some_bytes(size);
      for (const Index stride : {Index{0}, model->unit(), Index{24}}) {
        const Losses found = losses_of(*model, file, {.stride = stride, .strided = true});
        const auto expected = strided_losses(*model, file, stride == 0 ? 32 : stride);
        ASSERT_EQ(found.bits.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i)
          ASSERT_NEAR(found.bits[i], expected[i], 3e-4) << small.name << ", stride " << stride << ", byte " << i;
      }
    }
  }
}

TEST(Strided, NeedsPatchesOfTwoHalves) {
  const auto file = some_bytes(100);
  EXPECT_ERROR(losses_of(FakeModel(16), file, {.strided = true}),
               "strided inference takes the first halves of patches, and the model's have 1 byte");
  EXPECT_ERROR(losses_of(FakeModel(15, 3), file, {.strided = true}), "and the model's have 3 bytes");
}

}  // namespace
}  // namespace megalith
