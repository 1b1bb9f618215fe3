// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/config.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "support/configs.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using tests::transformer;

ModelConfig valid_config() {
  ModelConfig c;
  c.length = 64;
  c.scales = {{.patch = 8, .stack = {.width = 32, .layers = 2, .block = TransformerConfig{.heads = 4}}},
              {.patch = 1, .stack = {.width = 16, .layers = 1, .block = TransformerConfig{.heads = 2}}}};
  return c;
}

std::string problem(const std::function<void(ModelConfig&)>& spoil) {
  ModelConfig c = valid_config();
  spoil(c);
  return error_of([&] { c.validate(); });
}

TEST(ModelConfig, SoundOnesPass) {
  EXPECT_EQ(problem([](ModelConfig&) {}), "");
  EXPECT_EQ(problem([](ModelConfig& c) { c.scales.erase(c.scales.begin()); }), "");
  EXPECT_EQ(problem([](ModelConfig& c) {
              c.scales.insert(c.scales.begin(),
                              {.patch = 16, .stack = {.width = 48, .layers = 1, .block = TransformerConfig{.heads = 3}}});
            }),
            "");
  EXPECT_EQ(problem([](ModelConfig& c) { c.scales[1].embedding = 16; }), "");
  EXPECT_EQ(problem([](ModelConfig& c) { c.scales[0].embedding = 5; }), "");
  EXPECT_EQ(problem([](ModelConfig& c) { c.scales[0].convolution = true; }), "");
  EXPECT_EQ(problem([](ModelConfig& c) { c.scales[0].stack.block = LinearTransformerConfig{.heads = 4}; }), "");
}

TEST(ModelConfig, UnusualOnesPass) {
  for (const tests::NamedConfig& c : tests::unusual_configs())
    EXPECT_EQ(error_of([&] { c.config.validate(); }), "") << c.name;
}

TEST(ModelConfig, EachProblemIsNamed) {
  struct Case {
    std::function<void(ModelConfig&)> spoil;
    std::string words;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const std::vector<Case> cases = {
      {[](ModelConfig& c) { c.scales.clear(); }, "scales must have 1 to 3 entries, not 0"},
      {[](ModelConfig& c) { c.scales.resize(4); }, "scales must have 1 to 3 entries, not 4"},
      {[](ModelConfig& c) { c.length = 0; }, "length must be from 1 to 2147483648, not 0"},
      {[](ModelConfig& c) { c.length = (Index{1} << 31) + 8; }, "length must be"},
      {[](ModelConfig& c) { c.length = 60; }, "length = 60 is not a multiple of scales[0].patch = 8"},
      {[](ModelConfig& c) { c.scales[0].first_input = FirstInput::previous; }, "scales[0].first_input must be \"pad\""},
      {[](ModelConfig& c) { c.scales[0].cross_patch = 2; }, "scales[0].cross_patch must be 0, not 2: the outermost"},
      {[](ModelConfig& c) {
         c.scales[1].cross_patch = 9;
         c.scales[1].stack.positions = PositionKind::rotary;
       },
       "scales[1].cross_patch must be from 0 to 8, not 9"},
      {[](ModelConfig& c) { c.scales[1].cross_patch = 8; },
       "scales[1].cross_patch = 8 needs scales[1].stack.positions to be \"rotary\""},
      {[](ModelConfig& c) {
         c.scales[1].cross_patch = 8;
         c.scales[1].stack.positions = PositionKind::rotary;
         transformer(c.scales[1]).window = 3;
       },
       "scales[1].stack.transformer.window = 3 cannot be had with cross-patch attention"},
      {[](ModelConfig& c) { c.scales[0].patch = 0; }, "scales[0].patch must be from 1"},
      {[](ModelConfig& c) { c.scales[0].patch = -8; }, "scales[0].patch must be from 1"},
      {[](ModelConfig& c) { c.scales[0].patch = 1; }, "scales[0].patch = 1 must be larger than scales[1].patch = 1"},
      {[](ModelConfig& c) { c.scales[1].patch = 2; }, "scales[1].patch must be 1, not 2"},
      {[](ModelConfig& c) { c.scales.insert(c.scales.begin() + 1, {.patch = 3}); },
       "scales[1].patch = 3 does not divide scales[0].patch = 8"},
      {[](ModelConfig& c) { c.scales[0].stack.width = 0; }, "scales[0].stack.width must be from 1 to 65536, not 0"},
      {[](ModelConfig& c) { c.scales[0].stack.width = 1 << 20; }, "scales[0].stack.width must be"},
      {[](ModelConfig& c) { c.scales[0].stack.width = 36; },
       "scales[0].patch = 8 does not divide scales[0].stack.width = 36"},
      {[](ModelConfig& c) { c.scales[0].stack.width = 36; }, "set scales[0].embedding"},
      {[](ModelConfig& c) { c.scales[0].embedding = -1; }, "scales[0].embedding must be from 0"},
      {[](ModelConfig& c) { c.length = c.scales[0].patch = 1 << 20, c.scales[0].embedding = 2; }, "must be at most 1048576"},
      {[](ModelConfig& c) { c.scales[1].embedding = 8; }, "scales[1].embedding = 8 must be 0 or scales[1].stack.width = 16"},
      {[](ModelConfig& c) { c.scales[1].convolution = true; },
       "scales[1].convolution must be false, because the innermost scale has no patches to embed"},
      {[](ModelConfig& c) {
         c.scales[1].cross_patch = 2;
         c.scales[1].stack.positions = PositionKind::rotary;
         c.scales[1].stack.block = LinearTransformerConfig{.heads = 2};
       },
       "scales[1].stack has cross-patch attention around it, which blocks of the kind \"linear_transformer\" do not have"},
      {[](ModelConfig& c) { c.scales[1].stack.layers = 0; }, "scales[1].stack.layers must be from 1"},
      {[](ModelConfig& c) { transformer(c.scales[1]).heads = 0; }, "scales[1].stack.transformer.heads must be from 1"},
      {[](ModelConfig& c) { transformer(c.scales[1]).heads = 3; },
       "scales[1].stack.transformer.heads = 3 does not divide scales[1].stack.width = 16"},
      {[](ModelConfig& c) { transformer(c.scales[1]).heads = 16, c.scales[1].stack.positions = PositionKind::rotary; },
       "scales[1].stack.transformer.heads = 16 splits scales[1].stack.width = 16 into heads of 1 channels, and rotary "
       "positions need an "
       "even number"},
      {[](ModelConfig& c) { transformer(c.scales[0]).kv_heads = 3; },
       "scales[0].stack.transformer.kv_heads = 3 does not divide scales[0].stack.transformer.heads = 4"},
      {[](ModelConfig& c) { transformer(c.scales[0]).kv_heads = -1; },
       "scales[0].stack.transformer.kv_heads must be from 0"},
      {[](ModelConfig& c) { transformer(c.scales[0]).hidden = -1; }, "scales[0].stack.transformer.hidden must be from 0"},
      {[](ModelConfig& c) { transformer(c.scales[0]).window = -1; }, "scales[0].stack.transformer.window must be from 0"},
      {[](ModelConfig& c) { transformer(c.scales[0]).rotary_base = 0; },
       "scales[0].stack.transformer.rotary_base must be above 0"},
      {[=](ModelConfig& c) { transformer(c.scales[0]).rotary_base = infinity; },
       "scales[0].stack.transformer.rotary_base must be"},
      {[](ModelConfig& c) { c.scales[1].stack.block = LinearTransformerConfig{.heads = 3}; },
       "scales[1].stack.linear_transformer.heads = 3 does not divide scales[1].stack.width = 16"},
      {[](ModelConfig& c) {
         c.scales[1].stack.block = LinearTransformerConfig{.heads = 16};
         c.scales[1].stack.positions = PositionKind::rotary;
       },
       "rotary positions need an even number"},
      {[](ModelConfig& c) { c.scales[1].stack.block = LinearTransformerConfig{.heads = 2, .hidden = -1}; },
       "scales[1].stack.linear_transformer.hidden must be from 0"},
      {[](ModelConfig& c) { c.scales[1].stack.block = LinearTransformerConfig{.heads = 2, .rotary_base = 0}; },
       "scales[1].stack.linear_transformer.rotary_base must be above 0"},
      {[](ModelConfig& c) { c.scales[0].stack.dropout = 1; },
       "scales[0].stack.dropout must be at least 0 and below 1, not 1"},
      {[](ModelConfig& c) { c.scales[0].stack.dropout = -0.1; }, "scales[0].stack.dropout must be"},
      {[=](ModelConfig& c) { c.scales[0].stack.dropout = nan; }, "scales[0].stack.dropout must be"},
      {[](ModelConfig& c) { c.soft_cap = -1; }, "soft_cap must be 0 or above, not -1"},
      {[=](ModelConfig& c) { c.soft_cap = infinity; }, "soft_cap must be"},
      {[=](ModelConfig& c) { c.init_std = nan; }, "init_std must be"},
      {[](ModelConfig& c) { c.residual_init = -1; }, "residual_init must be"},
  };
  for (const Case& c : cases) {
    const std::string message = problem(c.spoil);
    EXPECT_NE(message.find(c.words), std::string::npos) << "expected: " << c.words << "\n but got: " << message;
  }
}

TEST(ModelConfig, WhatPerceiverArAsksFor) {
  // In windows of 64 bytes: over 8 patches, inside a patch of 8 bytes, or over all bytes.
  const auto with = [](std::size_t scale, PerceiverConfig block) {
    block.layer.heads = 2;
    return problem([&](ModelConfig& c) { c.scales[scale].stack.block = block; });
  };
  const auto flat = [](PerceiverConfig block) {
    block.layer.heads = 2;
    ModelConfig c{.length = 64, .scales = {{.stack = {.width = 16, .layers = 1, .block = block}}}};
    return error_of([&] { c.validate(); });
  };
  EXPECT_EQ(with(0, {.latents = 4}), "");
  EXPECT_EQ(with(1, {.latents = 8}), "");
  EXPECT_EQ(flat({.latents = 64, .predicted = 64}), "");
  const auto expect = [](const std::string& message, const char* words) {
    EXPECT_NE(message.find(words), std::string::npos) << message;
  };
  expect(with(0, {.latents = 3}), "scales[0].stack.perceiver.latents = 3 does not divide length / scales[0].patch = 8");
  expect(with(1, {.latents = 16}), "scales[1].stack.perceiver.latents = 16 does not divide scales[0].patch = 8");
  expect(with(1, {.latents = 8, .predicted = 8}),
         "scales[1].stack.perceiver.predicted must be 0, not 8, in a model of several");
  expect(flat({.latents = 48}), "scales[0].stack.perceiver.latents = 48 does not divide length = 64");
  expect(flat({.latents = 0}), "scales[0].stack.perceiver.latents must be from 1");
  expect(flat({.latents = 8, .predicted = -1}), "scales[0].stack.perceiver.predicted must be from 0");
  expect(flat({.latents = 8, .layer = {.kv_heads = 3}}),
         "scales[0].stack.perceiver.kv_heads = 3 does not divide scales[0].stack.p");
}

TEST(ModelConfig, BlocksOfMegalodon) {
  const auto with = [&](Index width, MegalodonConfig block, PositionKind positions = PositionKind::rotary) {
    return problem(
        [&](ModelConfig& c) { c.scales[0].stack = {.width = width, .layers = 1, .positions = positions, .block = block}; });
  };
  const auto expect = [](const std::string& message, const std::string& words) {
    EXPECT_NE(message.find(words), std::string::npos) << message;
  };
  EXPECT_EQ(with(32, {}), "");
  EXPECT_EQ(with(104, {}), "") << "3 groups of 32 channels do not fit, and 2 do";
  EXPECT_EQ(with(32, {.norm = SequenceNormKind::rms, .average = AverageKind::none}), "");
  const std::string at = "scales[0].stack.megalodon.";
  expect(with(32, {.heads = 3}), at + "qk_width, which is 8 by default, is not divided by " + at + "heads = 3");
  expect(with(32, {.heads = 2, .qk_width = 6}), "gives heads of 3 channels, and rotary positions need an even number");
  EXPECT_EQ(with(32, {.heads = 2, .qk_width = 6}, PositionKind::none), "");
  expect(with(32, {.heads = 2, .value_width = 7}), at + "value_width = 7 is not divided by " + at + "heads = 2");
  expect(with(32, {.groups = 5}), at + "groups = 5 does not divide scales[0].stack.width = 32");
  expect(with(32, {.groups = 32}), at + "groups = 32 leaves one channel in a group");
  expect(with(32, {.states = 0}), at + "states must be from 1");
  expect(with(32, {.chunk = 0}), at + "chunk must be from 1");
  expect(with(Index{1} << 62, {}), "scales[0].stack.width");
}

TEST(ModelConfig, BlocksOfMega) {
  const auto with = [&](MegaConfig block, PositionKind positions = PositionKind::none, Index width = 32) {
    return problem(
        [&](ModelConfig& c) { c.scales[0].stack = {.width = width, .layers = 1, .positions = positions, .block = block}; });
  };
  const auto expect = [](const std::string& message, const std::string& words) {
    EXPECT_NE(message.find(words), std::string::npos) << message;
  };
  EXPECT_EQ(with({}), "");
  EXPECT_EQ(with({}, PositionKind::learned), "");
  const std::string stack = "scales[0].stack.", at = stack + "mega.";
  expect(with({}, PositionKind::rotary), stack + "positions = \"rotary\" turns queries and keys, which blocks of the kind");
  expect(with({.qk_width = 5}), at + "qk_width = 5 is odd, and a rotary bias turns pairs of channels");
  EXPECT_EQ(with({.qk_width = 5, .relative_bias = RelativeBiasKind::simple}), "");
  expect(with({.qk_width = -1}), at + "qk_width must be from 0");
  expect(with({.value_width = -1}), at + "value_width must be from 0");
  expect(with({.hidden = -1}), at + "hidden must be from 0");
  expect(with({.chunk = 0}), at + "chunk must be from 1");
  EXPECT_EQ(with({.chunk = Index{1} << 30}), "");
  expect(with({.chunk = Index{1} << 30, .relative_bias = RelativeBiasKind::simple}),
         at + "chunk must be from 1 to 1048576, not 1073741824");
  expect(with({.states = 0}), at + "states must be from 1");
  expect(with({.rotary_base = -2}), at + "rotary_base must be above 0, not -2");
  expect(with({}, PositionKind::none, Index{1} << 62), stack + "width");
}

TEST(ModelConfig, ReportsAllProblemsAtOnce) {
  const std::string message = problem([](ModelConfig& c) {
    c.length = 60;
    c.soft_cap = -1;
    transformer(c.scales[1]).heads = 3;
  });
  EXPECT_NE(message.find("3 problems"), std::string::npos) << message;
  for (const char* words : {"length", "soft_cap", "scales[1].stack.transformer.heads"})
    EXPECT_NE(message.find(words), std::string::npos) << message;
}

TEST(ModelConfig, InWords) {
  EXPECT_EQ(in_words(valid_config()),
            "2 layers of width 32 over patches of 8 bytes, 1 layer of width 16 over bytes, windows of 64 bytes");
}

TEST(ModelConfig, OneProblemIsNotReportedTwice) {
  for (const auto& spoil : std::vector<std::function<void(ModelConfig&)>>{
           [](ModelConfig& c) { c.scales[0].patch = 0; }, [](ModelConfig& c) { c.scales[0].stack.width = -4; },
           [](ModelConfig& c) { transformer(c.scales[1]).heads = -1; }, [](ModelConfig& c) { c.length = -8; }}) {
    const std::string message = problem(spoil);
    EXPECT_NE(message.find("not valid"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace megalith
