// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/config_json.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

#include "megalith/nn/block_kind.h"
#include "support/configs.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

/// The name of each field that differs from its default.
template <class C>
void note_unusual_fields(const C& config, std::set<std::string>& names) {
  C::visit_fields(config, [&](const std::string& name, const auto& member) {
    const C defaults{};
    C::visit_fields(defaults, [&](const std::string& other_name, const auto& other) {
      if constexpr (std::is_same_v<decltype(member), decltype(other)>)
        if (name == other_name && !(member == other)) names.insert(name);
    });
  });
}
template <class C>
std::set<std::string> all_fields() {
  std::set<std::string> names;
  const C config{};
  C::visit_fields(config, [&](const char* name, const auto&) { names.insert(name); });
  return names;
}

std::string refusal(std::string_view json) {
  return error_of([&] { config_from_json(json, "my.json"); });
}

TEST(ConfigJson, RoundTrip) {
  for (const tests::NamedConfig& c : tests::unusual_configs())
    EXPECT_EQ(config_from_json(to_json(c.config), "x"), c.config) << c.name;
}

TEST(ConfigJson, TheRoundTripSawEveryFieldAwayFromItsDefault) {
  std::set<std::string> model, scale, stack, block, linear;
  for (const tests::NamedConfig& c : tests::unusual_configs()) {
    note_unusual_fields(c.config, model);
    for (const ScaleConfig& s : c.config.scales) {
      note_unusual_fields(s, scale);
      note_unusual_fields(s.stack, stack);
      if (const auto* settings = s.stack.block.get_if<TransformerConfig>()) note_unusual_fields(*settings, block);
      if (const auto* settings = s.stack.block.get_if<LinearTransformerConfig>()) note_unusual_fields(*settings, linear);
    }
  }
  EXPECT_EQ(model, all_fields<ModelConfig>());
  EXPECT_EQ(scale, all_fields<ScaleConfig>());
  EXPECT_EQ(stack, all_fields<StackConfig>());
  EXPECT_EQ(block, all_fields<TransformerConfig>());
  EXPECT_EQ(linear, all_fields<LinearTransformerConfig>());
}

TEST(ConfigJson, ReadsTheDocumentedForm) {
  const ModelConfig c = config_from_json(R"({"length":1024,"scales":[
    {"patch":8,"embedding":0,"first_input":"pad","stack":{"width":512,"layers":6,"positions":"learned","bias":true,"dropout":0,
     "recompute":false,"transformer":{"heads":8,"kv_heads":0,"hidden":0,"window":0,"norm":"layer","activation":"relu",
     "rotary_base":10000,"qk_norm":false}}},
    {"patch":1}],"tied":true,"soft_cap":0,"init_std":0,"residual_init":0})",
                                         "x");
  EXPECT_EQ(c, (ModelConfig{.length = 1024, .scales = {{.patch = 8}, {.patch = 1}}}));
}

// Of format version 1: patches were units, and the settings of transformer blocks stood in the stack itself.
TEST(ConfigJson, ReadsTheFormOfVersion1) {
  const ModelConfig c = config_from_json(R"({"length":96,"scales":[
    {"unit":4,"embedding":9,"first_input":"pad","stack":{"width":40,"layers":3,"heads":5,"hidden":56,"window":7,
     "norm":"rms","activation":"swiglu","positions":"rotary","rotary_base":123.25,"qk_norm":true,"bias":false,"dropout":0.1,
     "recompute":true}},
    {"unit":1,"stack":{"heads":2}}],"tied":false,"soft_cap":15,"init_std":0.006,"residual_init":0.5})",
                                         "x");
  const TransformerConfig block{.heads = 5,
                                .hidden = 56,
                                .window = 7,
                                .norm = NormKind::rms,
                                .activation = Activation::swiglu,
                                .rotary_base = 123.25,
                                .qk_norm = true};
  const StackConfig stack{.width = 40,
                          .layers = 3,
                          .positions = PositionKind::rotary,
                          .bias = false,
                          .dropout = 0.1,
                          .recompute = true,
                          .block = block};
  EXPECT_EQ(c, (ModelConfig{.length = 96,
                            .scales = {{.patch = 4, .embedding = 9, .stack = stack},
                                       {.patch = 1, .stack = {.block = TransformerConfig{.heads = 2}}}},
                            .tied = false,
                            .soft_cap = 15,
                            .init_std = 0.006,
                            .residual_init = 0.5}));
  EXPECT_NE(refusal(R"({"scales":[{"unit":4,"patch":4}]})").find("under its older name \"unit\""), std::string::npos);
  EXPECT_NE(refusal(R"({"scales":[{"stack":{"heads":4,"transformer":{}}}]})").find("stack has no field \"heads\""),
            std::string::npos);
}

TEST(ConfigJson, MissingFieldsKeepDefaults) {
  EXPECT_EQ(config_from_json(R"({"scales":[{"stack":{"width":32}}]})", "x"),
            (ModelConfig{.scales = {{.stack = {.width = 32}}}}));
}

TEST(ConfigJson, RefusesWithASentence) {
  const std::vector<std::pair<std::string_view, std::string>> cases = {
      {"", "my.json is not valid JSON at column 1"},
      {"{\n \"length\": 8,\n x}", "my.json is not valid JSON at line 3, column 2"},
      {"{} {}", "not valid JSON"},
      {"\"\xff\"", "not valid JSON"},
      {"[]", "my.json: the config must be an object"},
      {"{}", "my.json: the config has no field \"scales\""},
      {R"({"scales":{}})", "my.json: scales must be an array"},
      {R"({"scales":[7]})", "my.json: scales[0] must be an object"},
      {R"({"lenght":8,"scales":[]})", "my.json: the config has no field \"lenght\"; did you mean \"length\"?"},
      {R"({"scales":[{},{"stack":{"wdith":8}}]})",
       "my.json: scales[1].stack has no field \"wdith\"; did you mean \"width\"?"},
      {R"({"scales":[{"stack":{"transformer":{"norm":"lyer"}}}]})",
       "scales[0].stack.transformer.norm cannot be \"lyer\"; did you mean \"layer\"?"},
      {R"({"scales":[{"stack":{"transformer":{"hends":2}}}]})",
       "scales[0].stack.transformer has no field \"hends\"; did you mean \"heads\"?"},
      {R"({"scales":[{"stack":{"transformer":2}}]})", "scales[0].stack.transformer must be an object, not 2"},
      {R"({"scales":[{"stack":{"transfromer":{}}}]})",
       "scales[0].stack has no field \"transfromer\"; did you mean \"transformer\"?"},
      {R"({"scales":[{"stack":{"norm":"lyer"}}]})",
       "scales[0].stack.transformer.norm cannot be \"lyer\"; did you mean \"layer\"?"},
      {R"({"scales":[{"stack":{"norm":1}}]})", "scales[0].stack.transformer.norm must be a name"},
      {R"({"length":8.5,"scales":[]})", "length must be a whole number, not 8.5"},
      {R"({"length":"8","scales":[]})", "length must be a whole number"},
      {R"({"length":18446744073709551615,"scales":[]})", "length must be from"},
      {R"({"length":1e999,"scales":[]})", "too large"},
      {R"({"length":1180591620717411303424,"scales":[]})", "length must be a whole number"},  // 2^70
      {R"({"length":9223372036854775808,"scales":[]})", "length must be from"},               // 2^63
      {R"({"length":1e3,"scales":[]})", "length must be a whole number, not 1000.0"},
      {R"({"scales":[{"stack":{"layers":0.5}}]})", "scales[0].stack.layers must be a whole number, not 0.5"},
      {R"({"scales":[{"stack":{"norm":"batch"}}]})",
       "scales[0].stack.transformer.norm cannot be \"batch\"; choose from layer, rms"},
      {R"({"colour":8,"scales":[]})", "no field \"colour\"; choose from length, scales, record, tied, soft_cap"},
      {R"({"soft_cap":null,"scales":[]})", "soft_cap must be a number"},
      {R"({"tied":1,"scales":[]})", "tied must be true or false"},
      {R"({"length":8.5,"tied":1,"scales":[{"pitch":1}]})",
       "my.json: length must be a whole number, not 8.5; scales[0] has no field \"pitch\"; did you mean \"patch\"?; tied "
       "must"},
      {R"({"tied":true,"tied":false,"scales":[]})", "names \"tied\" twice"},
  };
  for (const auto& [json, words] : cases)
    EXPECT_NE(refusal(json).find(words), std::string::npos)
        << json << "\n expected: " << words << "\n got: " << refusal(json);
  EXPECT_NE(refusal(std::string(100000, '[')).find("nests deeper"), std::string::npos);
  EXPECT_LT(refusal("{\"" + std::string(100000, 'k') + "\":1}").size(), 300u);
}

TEST(ConfigJson, AllThatIsWrongIsToldInOneRound) {
  std::string kinds;
  for (const BlockKind* kind : block_kinds()) kinds += ", " + std::string(kind->name());
  const std::vector<std::pair<std::string_view, std::string>> cases = {
      // Of another type, and out of range.
      {R"({"length":12,"scales":[{"patch":8,"stack":{"layers":0.5,"width":-3}},{"patch":1}]})",
       "scales[0].stack.layers must be a whole number, not 0.5; length = 12 is not a multiple of scales[0].patch = 8; "
       "scales[0].stack.width must be from 1 to 65536, not -3"},
      // What could not be read, and what depends on it, is told once: 12 heads would not divide the default width.
      {R"({"scales":[{"stack":{"width":"x","transformer":{"heads":12},"dropout":7}}]})",
       "scales[0].stack.width must be a whole number, not \"x\"; scales[0].stack.dropout must be at least 0 and below 1, "
       "not 7"},
      // The same where a name is misspelt
      {R"({"scales":[{"stack":{"widht":24,"transformer":{"heads":12}}}],"soft_cap":-1})",
       "scales[0].stack has no field \"widht\"; did you mean \"width\"?; soft_cap must be 0 or above, not -1"},
      // or is another: what stands in for the width is not told.
      {R"({"scales":[{"stack":{"d_model":24,"transformer":{"heads":12}}}],"soft_cap":-1})",
       "scales[0].stack has no field \"d_model\"; choose from width, layers, positions, bias, dropout, recompute" + kinds +
           "; soft_cap must be 0 or above, not -1"},
      // What was read beside it is told.
      {R"({"length":0,"lenght":8,"scales":[{"stack":{"heads":7}}]})",
       "the config has no field \"lenght\"; did you mean \"length\"?; length must be from 1 to 2147483648, not 0; "
       "scales[0].stack.transformer.heads = 7 does not divide scales[0].stack.width = 512"},
      // And where another value stands for an object.
      {R"({"scales":[{"patch":4},7],"init_std":-1})",
       "scales[1] must be an object, not 7; init_std must be 0 or above, not -1"},
      {R"({"init_std":-1})", "the config has no field \"scales\"; init_std must be 0 or above, not -1"},
      {R"({"scales":7,"length":0})", "scales must be an array, not 7; length must be from 1 to 2147483648, not 0"},
  };
  for (const auto& [json, words] : cases) EXPECT_EQ(refusal(json), "my.json: " + words) << json;
}

TEST(ConfigJson, FirstDifference) {
  const ModelConfig a = tests::config_named("embedder");
  ModelConfig b = a;
  EXPECT_EQ(first_difference(a, b), "");
  tests::transformer(b.scales[1]).heads = 2;
  b.tied = true;  // comes later
  EXPECT_EQ(first_difference(a, b), "scales[1].stack.transformer.heads (4 and 2)");
  b = a;
  b.scales[1].first_input = FirstInput::pad;
  EXPECT_EQ(first_difference(a, b), "scales[1].first_input (\"previous\" and \"pad\")");
  b = a;
  b.scales.pop_back();
  EXPECT_EQ(first_difference(a, b), "the number of scales (2 and 1)");
}

}  // namespace
}  // namespace megalith
