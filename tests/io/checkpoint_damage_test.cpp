// SPDX-License-Identifier: Apache-2.0
// What becomes of a checkpoint that was cut, or in which bits flipped: it is refused with an Error, or loads as something
// that its file really says. Nothing crashes, and nothing is taken on trust.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "megalith/io/checkpoint.h"
#include "megalith/io/safetensors.h"
#include "megalith/models/config_json.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

std::vector<float> numbers_of(AnyModel& model) {
  std::vector<float> all;
  for (const Parameter& p : model.parameters()) all.insert(all.end(), p.tensor->span().begin(), p.tensor->span().end());
  return all;
}

/// The bytes of a small model's file.
struct CheckpointDamage : ::testing::Test {
  CheckpointDamage() {
    const StackConfig stack{.width = 8, .layers = 1, .block = TransformerConfig{.heads = 2}};
    config = {.length = 8, .scales = {{.patch = 4, .stack = stack}, {.patch = 1, .stack = stack}}};
    const auto model = make_model(config);
    model->init(RandomKey{1});
    numbers = numbers_of(*model);
    save_model(folder / "valid", *model);
    whole = read_file(folder / "valid");
    std::uint64_t length = 0;
    std::memcpy(&length, whole.data(), sizeof length);
    header_end = sizeof length + length;
  }
  /// The model in a file of these bytes; null where it is refused.
  std::unique_ptr<AnyModel> loaded(const std::string& bytes) {
    const std::string path = folder.write("damaged", bytes);
    try {
      return load_model(path);
    } catch (const Error& e) {
      message = e.what();
      EXPECT_NE(message.find(path), message.npos) << "the file is named: " << message;
    }
    return nullptr;
  }
  /// The same with other words, as long, in the header.
  std::string with(const std::string& from, const std::string& to) const {
    EXPECT_EQ(from.size(), to.size());
    EXPECT_LT(whole.find(from), header_end) << from;
    return std::string(whole).replace(whole.find(from), from.size(), to);
  }

  TemporaryFolder folder;
  ModelConfig config;
  std::vector<float> numbers;
  std::string whole, message;
  std::size_t header_end = 0;
};

TEST_F(CheckpointDamage, EveryCutIsNoticed) {
  ASSERT_NE(loaded(whole), nullptr) << message;
  for (std::size_t n = 0; n <= header_end; ++n) ASSERT_EQ(loaded(whole.substr(0, n)), nullptr) << n;
  const std::size_t data = whole.size() - header_end;
  for (std::size_t i = 0; i < 50; ++i) ASSERT_EQ(loaded(whole.substr(0, header_end + i * data / 50)), nullptr) << i;
  ASSERT_EQ(loaded(whole + "x"), nullptr);
}

/// Each bit of the header's bytes: the model that comes out, if one does, has the same numbers, in the order of a visit. A
/// flip in a name of metadata, in a value of the config that changes no shape, or in a space may pass: nothing vouches for
/// those but themselves.
TEST_F(CheckpointDamage, NoFlippedBitOfTheHeaderCrashesOrMovesANumber) {
  std::size_t refused = 0, passed = 0;
  for (std::size_t at = 0; at < header_end; ++at)
    for (const int bit : {static_cast<int>(at % 8), 5}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      const auto model = loaded(bytes);
      ++(model ? passed : refused);
      if (!model) continue;
      ASSERT_EQ(numbers_of(*model), numbers) << "byte " << at << ", bit " << bit;
      ASSERT_EQ(model->parameter_count(), static_cast<Index>(numbers.size()));
    }
  EXPECT_GT(refused, 5 * passed) << "most of a header's bytes matter";
  EXPECT_GT(passed, 0u);
}

/// There is no checksum. A number that is no number any more is noticed; another number is what the file says.
TEST_F(CheckpointDamage, FlippedBitsOfTheData) {
  const std::size_t count = (whole.size() - header_end) / sizeof(float);
  ASSERT_EQ(count, numbers.size());
  for (std::size_t i = 0; i < count; i += 7)
    for (const int bit : {0, 12, 23, 30, 31}) {
      std::string bytes = whole;
      float number = 0;
      char* const at = bytes.data() + header_end + i * sizeof(float);
      at[bit / 8] = static_cast<char>(at[bit / 8] ^ (1 << bit % 8));
      std::memcpy(&number, at, sizeof number);
      const auto model = loaded(bytes);
      ASSERT_EQ(model != nullptr, std::isfinite(number)) << message;
      if (!model) continue;
      const std::vector<float> now = numbers_of(*model);
      std::size_t changed = 0;
      for (std::size_t k = 0; k < count; ++k) changed += std::memcmp(&now[k], &numbers[k], sizeof now[k]) == 0 ? 0 : 1;
      ASSERT_EQ(changed, 1u) << i;
    }
  std::string bytes = whole;
  const float nan = NAN;
  std::memcpy(bytes.data() + header_end + 5 * sizeof nan, &nan, sizeof nan);
  EXPECT_EQ(loaded(bytes), nullptr);
  EXPECT_NE(message.find("holds nan as number 5, and a model's are finite: the file is damaged"), message.npos) << message;
  const auto model = make_model(config);
  EXPECT_ERROR(load_parameters(folder / "damaged", *model), "holds nan");
  for (const float x : numbers_of(*model)) ASSERT_TRUE(x == 0 || x == 1) << "a refused file leaves the model as it was";
}

TEST_F(CheckpointDamage, ANewerVersionSaysWhatToDo) {
  EXPECT_EQ(loaded(with(R"("format_version":"2")", R"("format_version":"3")")), nullptr);
  EXPECT_NE(message.find("has format version 3, which is newer than 2, the newest that this library reads; read it with "
                         "Megalith \"0."),
            message.npos)
      << message;
  for (const char* odd : {"0", "x", "-", " "}) {
    EXPECT_EQ(loaded(with(R"("format_version":"2")", text(R"("format_version":")", odd, "\""))), nullptr);
    EXPECT_NE(
        message.find(text("has format version \"", odd, "\", and this library reads versions 1 to 2; the file is damaged")),
        message.npos)
        << message;
  }
}

TEST_F(CheckpointDamage, AConfigOfAbsurdSizeIsRefusedBeforeMemoryIsTaken) {
  const auto refusal = [&](const std::function<void(ModelConfig&)>& change) {
    SafetensorsWriter writer;
    const SafetensorsReader reader(folder / "valid");
    ModelConfig absurd = config;
    change(absurd);
    for (const auto& [key, value] : reader.metadata()) writer.metadata(key, key == "config" ? to_json(absurd) : value);
    std::vector<std::vector<float>> kept;
    for (const auto& [name, info] : reader.tensors()) {
      kept.emplace_back((info.end - info.begin) / sizeof(float));
      reader.read(name, kept.back());
      writer.add(name, info.dtype, info.shape, kept.back().data());
    }
    writer.write(folder / "absurd");
    return error_of([&] { load_model(folder / "absurd"); });
  };
  EXPECT_NE(refusal([](ModelConfig& c) {
              c.scales[0].stack.width = 1'000'000;
            }).find("scales[0].stack.width must be from 1 to 65536, not 1000000"),
            std::string::npos);
  EXPECT_NE(refusal([](ModelConfig& c) {
              c.scales[0].stack.width = 65536, c.scales[0].stack.layers = 1000;
            }).find("but its config describes a model of"),
            std::string::npos);
}

/// A file may be as long as it claims and yet hold nothing: a sparse one.
TEST_F(CheckpointDamage, ASparseFileOfAbsurdSizeIsRefusedBeforeMemoryIsTaken) {
  const StackConfig wide{
      .width = 65536, .layers = 64, .positions = PositionKind::none, .bias = false, .block = TransformerConfig{.heads = 1}};
  const ModelConfig absurd{.length = 8, .scales = {{.patch = 1, .stack = wide}}};
  const std::uint64_t size = static_cast<std::uint64_t>(make_summary(absurd)->parameter_count()) * sizeof(float);
  std::string config_text;
  for (const char c : to_json(absurd)) config_text += c == '"' ? "\\\"" : c == '\n' ? " " : std::string(1, c);
  std::string header = R"({"__metadata__":{"format":"megalith","format_version":"1","config":")" + config_text +
                       R"("},"table":{"dtype":"F32","shape":[)" + std::to_string(size / 4) + R"(],"data_offsets":[0,)" +
                       std::to_string(size) + "]}}";
  std::string start(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(start.data(), &length, sizeof length);
  const std::string path = folder.write("sparse", start + header);
  std::error_code error;
  std::filesystem::resize_file(path, 8 + length + size, error);
  if (error) GTEST_SKIP() << "this file system holds no such file: " << error.message();
  EXPECT_EQ(load_checkpoint_config(path), absurd) << "describing takes no memory";
  EXPECT_ERROR(load_model(path), "MB of memory");
  EXPECT_ERROR(load_parameters(path, *make_model(config)), "the first difference is the number of scales");
}

}  // namespace
}  // namespace megalith
