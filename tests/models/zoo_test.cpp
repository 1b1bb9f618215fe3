// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/zoo.h"

#include <gtest/gtest.h>

#include <set>

#include "megalith/models/any_model.h"
#include "megalith/models/config_json.h"
#include "megalith/models/config_size.h"
#include "megalith/models/flops.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

double flops_per_byte(const char* name) {
  const ModelConfig& config = preset(name).config;
  return forward_flops(config, {1, config.length}) / static_cast<double>(config.length);
}

TEST(Zoo, PresetsAreSound) {
  std::set<std::string> names;
  for (const Preset& p : presets()) {
    EXPECT_EQ(error_of([&] { p.config.validate(); }), "") << p.name;
    EXPECT_TRUE(names.insert(p.name).second) << p.name << " is there twice";
    EXPECT_FALSE(p.summary.empty()) << p.name;
    EXPECT_EQ(p.summary.find('\n'), std::string::npos) << p.name;
    EXPECT_EQ(config_from_json(to_json(p.config), p.name), p.config);
  }
}

// The number of parameters of the PyTorch model of that shape, and its cost by hand: see the terms.
TEST(Zoo, R1IsTheReferenceShape) {
  EXPECT_EQ(parameter_count(preset("megabyte-small").config), 20662016);
  EXPECT_EQ(make_model(preset("megabyte-small").config)->parameter_count(), 20662016);
  const double global = 6 * (24.0 * 512 * 512 + 4 * 512 * (128 * 129 / 2) / 128.0) / 8;
  const double local = 2 * (24.0 * 256 * 256 + 4 * 256 * (8 * 9 / 2) / 8.0);
  const double condition = 2 * 64 * 256, head = 2 * 256 * 256;
  EXPECT_DOUBLE_EQ(flops_per_byte("megabyte-small"), global + local + condition + head);
}

TEST(Zoo, VanillaModelsMatchR1) {
  EXPECT_NEAR(flops_per_byte("vanilla-small-flops") / flops_per_byte("megabyte-small"), 1, 0.03);
  const double parameters = static_cast<double>(parameter_count(preset("vanilla-small-params").config));
  EXPECT_NEAR(parameters / 20662016, 1, 0.003);
}

// It differs from its sibling in the window alone, and so in the pairs of attention alone.
TEST(Zoo, VanillaModelWithAWindow) {
  ModelConfig config = preset("vanilla-small-window").config;
  EXPECT_EQ(config.scales[0].stack.window, 256);
  EXPECT_EQ(parameter_count(config), parameter_count(preset("vanilla-small-params").config));
  const double pairs = 1024 * 1025 / 2, seen = 256 * 257 / 2 + 768 * 256;
  EXPECT_DOUBLE_EQ(flops_per_byte("vanilla-small-params") - flops_per_byte("vanilla-small-window"),
                   5 * 4 * 576 * (pairs - seen) / 1024);
  config.scales[0].stack.window = 0;
  EXPECT_EQ(config, preset("vanilla-small-params").config);
}

TEST(Zoo, PaperFormHasNoLocalPositions) {
  const ModelConfig& c = preset("megabyte-paper").config;
  EXPECT_EQ(c.scales[0].stack.positions, PositionKind::learned);
  EXPECT_EQ(c.scales[1].stack.positions, PositionKind::none);
  EXPECT_EQ(embedding_width(c.scales[0]), 256);
  EXPECT_FALSE(has_patch_embedder(c.scales[0]));
  EXPECT_TRUE(has_patch_embedder(preset("paper-image64").config.scales[0]));
  EXPECT_EQ(embedding_width(preset("paper-image640").config.scales[0]), 4);
}

TEST(Zoo, UnknownNames) {
  EXPECT_ERROR(preset("megabyt-small"), "no model named \"megabyt-small\"; did you mean \"megabyte-small\"?");
  EXPECT_ERROR(preset("vanila-small-flops"), "did you mean \"vanilla-small-flops\"?");
}

}  // namespace
}  // namespace megalith
