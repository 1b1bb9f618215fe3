// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/checkpoint.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "megalith/core/version.h"
#include "megalith/io/safetensors.h"
#include "megalith/models/config_json.h"
#include "support/forwarding_model.h"
#include "support/temporary_folder.h"
#include "support/version_1.h"

namespace megalith {
namespace {

ModelConfig small_config() {
  const StackConfig global{.width = 16, .layers = 2, .dropout = 0.1, .block = TransformerConfig{.heads = 2}};
  const StackConfig local{.width = 12,
                          .layers = 1,
                          .positions = PositionKind::rotary,
                          .bias = false,
                          .block = TransformerConfig{.heads = 2, .norm = NormKind::rms, .qk_norm = true}};
  return {.length = 16, .scales = {{.patch = 4, .stack = global}, {.patch = 1, .stack = local}}, .residual_init = 1};
}

TransformerConfig& block_of(ModelConfig& config, std::size_t scale) {
  return config.scales[scale].stack.block.as<TransformerConfig>();
}

std::unique_ptr<AnyModel> random_model(const ModelConfig& config, std::uint64_t seed) {
  auto model = make_model(config);
  model->init(RandomKey{seed});
  return model;
}

/// All numbers, end to end.
std::vector<float> numbers_of(AnyModel& model) {
  std::vector<float> all;
  for (const Parameter& p : model.parameters()) all.insert(all.end(), p.tensor->span().begin(), p.tensor->span().end());
  return all;
}

/// A valid checkpoint's content, for tests to spoil and write.
struct Content {
  struct Entry {
    DType type;
    std::vector<Index> shape;
    std::vector<float> numbers;
  };
  std::map<std::string, std::string> metadata;
  std::map<std::string, Entry> tensors;

  explicit Content(const std::string& path) {
    const SafetensorsReader reader(path);
    metadata = reader.metadata();
    for (const auto& [name, info] : reader.tensors()) {
      Entry entry{info.dtype, info.shape, std::vector<float>((info.end - info.begin) / 4)};
      reader.read(name, entry.numbers);
      tensors[name] = std::move(entry);
    }
  }
  void write(const std::string& path) const {
    SafetensorsWriter writer;
    for (const auto& [key, value] : metadata) writer.metadata(key, value);
    for (const auto& [name, entry] : tensors) writer.add(name, entry.type, entry.shape, entry.numbers.data());
    writer.write(path);
  }
};

TEST(Checkpoint, RoundTripIsExact) {
  const TemporaryFolder folder;
  const auto model = random_model(small_config(), 1);
  save_model(folder / "model.safetensors", *model, {{"step", "17"}});
  for (const std::string& path : {folder / "model.safetensors", folder.path()}) {
    const auto loaded = load_model(path);
    EXPECT_EQ(loaded->config(), model->config());
    EXPECT_EQ(numbers_of(*loaded), numbers_of(*model));
    EXPECT_EQ(load_checkpoint_config(path), model->config());
  }
  const auto metadata = SafetensorsReader(folder / "model.safetensors").metadata();
  EXPECT_EQ(metadata.at("format"), "megalith");
  EXPECT_EQ(metadata.at("format_version"), "2");
  EXPECT_EQ(metadata.at("library_version"), kLibraryVersion);
  EXPECT_EQ(metadata.at("step"), "17");
  EXPECT_EQ(config_from_json(metadata.at("config"), "x"), model->config());
}

TEST(Checkpoint, VersionOneIsRead) {
  const TemporaryFolder folder;
  const auto model = random_model(small_config(), 1), other = random_model(small_config(), 2);
  save_model(folder / "m", *model);
  Content content(folder / "m");
  content.metadata["format_version"] = "1";
  content.metadata["config"] = tests::version_1(small_config()).dump(2);
  content.write(folder / "old");
  EXPECT_EQ(load_checkpoint_config(folder / "old"), small_config());
  EXPECT_EQ(numbers_of(*load_model(folder / "old")), numbers_of(*model));
  load_parameters(folder / "old", *other);
  EXPECT_EQ(numbers_of(*other), numbers_of(*model));
}

TEST(Checkpoint, LoadedModelPredictsTheSame) {
  const TemporaryFolder folder;
  const auto model = random_model(small_config(), 1);
  save_model(folder / "m", *model);
  const auto loaded = load_model(folder / "m");
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37);
  Workspace workspace(1);
  std::array<float, 32> a{}, b{};
  model->score(Context(workspace), {bytes.data(), 2, 16}, a);
  loaded->score(Context(workspace), {bytes.data(), 2, 16}, b);
  EXPECT_EQ(a, b);
}

TEST(Checkpoint, SavesOtherValuesOfTheSameModel) {
  const TemporaryFolder folder;
  const auto model = random_model(small_config(), 1), average = random_model(small_config(), 2);
  save_model(folder / "m", model->config(), average->parameters());
  EXPECT_EQ(numbers_of(*load_model(folder / "m")), numbers_of(*average));
}

TEST(Checkpoint, RefusesWhatIsNotAModelOfOurs) {
  const TemporaryFolder folder;
  save_model(folder / "valid", *random_model(small_config(), 1));
  const auto problem = [&](const std::function<void(Content&)>& spoil) {
    Content content(folder / "valid");
    spoil(content);
    content.write(folder / "spoilt");
    return error_of([&] { load_model(folder / "spoilt"); });
  };
  EXPECT_EQ(problem([](Content&) {}), "");
  const std::string gain = "stack.norm.gain";
  struct Case {
    std::function<void(Content&)> spoil;
    std::string words;
  };
  const std::vector<Case> cases = {
      {[](Content& c) { c.metadata.clear(); }, "is not a Megalith checkpoint: its metadata lacks \"format\""},
      {[](Content& c) { c.metadata["format"] = "pt"; }, "is not a Megalith checkpoint: its format is \"pt\""},
      {[](Content& c) { c.metadata["format_version"] = "3"; },
       "has format version 3, which is newer than 2, the newest that this library reads"},
      {[](Content& c) { c.metadata.erase("config"); }, "metadata lacks \"config\""},
      {[](Content& c) { c.metadata["config"] = "{"; }, "is not valid JSON"},
      {[](Content& c) {
         ModelConfig config = small_config();
         block_of(config, 0).heads = 3;
         c.metadata["config"] = to_json(config);
       },
       "scales[0].stack.transformer.heads = 3 does not divide"},
      {[](Content& c) {
         ModelConfig config = small_config();  // terabytes, which must not be asked for
         config.scales[0].stack.width = 65536;
         config.scales[0].stack.layers = 1000;
         c.metadata["config"] = to_json(config);
       },
       "numbers, but its config describes a model of"},
      {[=](Content& c) { c.tensors.erase(gain); }, "numbers, but its config describes a model of"},
      {[](Content& c) {
         c.tensors["more"] = {DType::f32, {1}, {0}};
       },
       "numbers, but its config describes a model of"},
      {[=](Content& c) {
         c.tensors["other"] = c.tensors.at(gain);
         c.tensors.erase(gain);
       },
       "has no tensor \"stack.norm.gain\""},
      {[](Content& c) {
         c.tensors["more"] = {DType::f32, {0}, {}};
       },
       "has a tensor \"more\" that the model lacks"},
      {[=](Content& c) {
         c.tensors.at(gain).shape = {4, 4};
       },
       "tensor \"stack.norm.gain\" has the shape (4, 4), and the model's is (16)"},
      {[=](Content& c) { c.tensors.at(gain).type = DType::i32; }, "\"stack.norm.gain\" is of type I32"},
  };
  for (const Case& c : cases) {
    const std::string message = problem(c.spoil);
    EXPECT_NE(message.find(c.words), std::string::npos) << "expected: " << c.words << "\n but got: " << message;
  }
  EXPECT_ERROR(load_model(folder / "none"), "none: No such file");
  std::filesystem::create_directory(folder / "run");
  EXPECT_ERROR(load_model(folder / "run"), "run holds no model.safetensors");
  EXPECT_ERROR(load_model(folder.write("text", "just some text, longer than eight bytes")), "not a safetensors file");
}

TEST(Checkpoint, LoadsParametersIntoAModelOfTheSameStructure) {
  const TemporaryFolder folder;
  const auto source = random_model(small_config(), 1);
  save_model(folder / "m", *source);

  ModelConfig config = small_config();
  config.init_std = 0.5;  // none of these changes what a parameter means
  config.residual_init = 0.5;
  config.scales[0].stack.dropout = 0;
  config.scales[1].stack.recompute = true;
  block_of(config, 0).hidden = 64;
  config.scales[0].embedding = 4;
  const auto model = random_model(config, 2);
  load_parameters(folder / "m", *model);
  EXPECT_EQ(numbers_of(*model), numbers_of(*source));
  EXPECT_EQ(model->config(), config);
}

TEST(Checkpoint, LengthMayDifferWhereNoPositionIsLearned) {
  const TemporaryFolder folder;
  ModelConfig config = small_config();
  config.scales[0].stack.positions = PositionKind::none;
  save_model(folder / "m", *random_model(config, 1));
  config.length = 32;
  load_parameters(folder / "m", *random_model(config, 2));
}

TEST(Checkpoint, NamesTheFirstDifference) {
  const TemporaryFolder folder;
  save_model(folder / "m", *random_model(small_config(), 1));
  const auto problem = [&](const std::function<void(ModelConfig&)>& change) {
    ModelConfig config = small_config();
    change(config);
    const auto model = random_model(config, 2);
    const auto before = numbers_of(*model);
    const std::string message = error_of([&] { load_parameters(folder / "m", *model); });
    EXPECT_EQ(numbers_of(*model), before) << "a refused file leaves the model as it was";
    return message;
  };
  const auto expect = [](const std::string& message, const std::string& words) {
    EXPECT_NE(message.find(words), std::string::npos) << message;
  };
  // Some of these have the same shapes, so only the config can tell.
  expect(problem([](ModelConfig& c) { block_of(c, 1).heads = 1; }),
         "the first difference is scales[1].stack.transformer.heads (2 and 1)");
  expect(
      problem([](ModelConfig& c) { c.scales[0].patch = 2, c.length = 8; }),
      "holds a model of 2 layers of width 16 over patches of 4 bytes, 1 layer of width 12 over bytes, windows of 16 bytes, "
      "this model is 2 layers of width 16 over patches of 2 bytes");
  expect(problem([](ModelConfig& c) { c.scales[0].stack.positions = PositionKind::none, c.length = 8; }),
         "length (16 and 8)");  // not 0: what a learned length is not compared with
  expect(problem([](ModelConfig& c) { block_of(c, 1).activation = Activation::gelu; }),
         "scales[1].stack.transformer.activation");
  expect(problem([](ModelConfig& c) { c.scales[1].first_input = FirstInput::previous; }), "scales[1].first_input");
  expect(problem([](ModelConfig& c) { c.soft_cap = 15; }), "soft_cap (0.0 and 15.0)");
  expect(problem([](ModelConfig& c) { c.length = 32; }), "length (16 and 32)");
  expect(problem([](ModelConfig& c) { c.scales[1].stack.layers = 2; }), "scales[1].stack.layers (1 and 2)");
}

TEST(Checkpoint, SaysWhichStructureItHolds) {
  struct Own : tests::ForwardingModel {  // the same names and shapes, computed otherwise
    using ForwardingModel::ForwardingModel;
    std::string structure() const override { return "of my own"; }
  };
  const TemporaryFolder folder;
  const Own own(random_model(small_config(), 1));
  save_model(folder / "own", own);
  EXPECT_ERROR(load_model(folder / "own"),
               "a model of the structure \"of my own\", and the one to load is of the structure that");
  EXPECT_ERROR(load_parameters(folder / "own", *random_model(small_config(), 2)), "of my own");
  Own again(random_model(small_config(), 2));
  load_parameters(folder / "own", again);
  EXPECT_EQ(numbers_of(static_cast<AnyModel&>(again)), numbers_of(*random_model(small_config(), 1)));
  save_model(folder / "ours", *random_model(small_config(), 1));
  EXPECT_ERROR(load_parameters(folder / "ours", again), "of my own");
}

}  // namespace
}  // namespace megalith
