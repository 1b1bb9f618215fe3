// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/block_config.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "megalith/nn/define_block_kind.h"
#include "megalith/nn/transformer_block.h"

namespace megalith::tests {
namespace {

/// Another kind of block, whose config has a field of its own; what it computes does not matter here.
template <class Own>
struct OtherConfig {
  template <class S>
  using Block = TransformerBlock<S>;
  Index lanes = 4;

  bool operator==(const OtherConfig&) const = default;
  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("lanes", c.lanes);
  }
  void list_problems(const StackConfig&, const std::string&, Problems&) const {}
  Own with_defaults(const StackConfig&) const { return static_cast<const Own&>(*this); }
};
struct OwnConfig : OtherConfig<OwnConfig> {
  static constexpr const char* kKind = "own";
  bool operator==(const OwnConfig&) const = default;
};
struct ImpostorConfig : OtherConfig<ImpostorConfig> {
  static constexpr const char* kKind = "transformer";
  bool operator==(const ImpostorConfig&) const = default;
};

bool is_known(std::string_view name) {
  const auto kinds = block_kinds();
  return std::any_of(kinds.begin(), kinds.end(), [&](const BlockKind* kind) { return kind->name() == name; });
}

TEST(BlockConfig, IsTheConfigOfOneKind) {
  BlockConfig block = TransformerConfig{.heads = 3};
  EXPECT_EQ(block.name(), "transformer");
  EXPECT_EQ(block.as<TransformerConfig>().heads, 3);
  block.as<TransformerConfig>().heads = 5;
  EXPECT_EQ(block.get_if<TransformerConfig>()->heads, 5);
  EXPECT_EQ(block.get_if<OwnConfig>(), nullptr);
  try {
    block.as<OwnConfig>();
    FAIL() << "it was taken for another kind";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("\"transformer\""), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("\"own\""), std::string::npos) << e.what();
  }
}

TEST(BlockConfig, EqualityIsOfKindAndSettings) {
  const BlockConfig a = TransformerConfig{.heads = 3}, b = a, c = TransformerConfig{.heads = 4}, d = OwnConfig{};
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  EXPECT_NE(a, d);
  EXPECT_EQ(d, BlockConfig(OwnConfig{}));
  BlockConfig assigned = c;
  assigned = d;
  EXPECT_EQ(assigned, d);
  EXPECT_EQ(BlockConfig(block_kind_of<TransformerConfig>()), BlockConfig(TransformerConfig{}));
}

TEST(BlockConfig, KindsAreKnownOnceTheyAreRegistered) {
  EXPECT_TRUE(is_known("transformer"));
  EXPECT_FALSE(is_known("own"));
  register_block<OwnConfig>();
  const std::size_t count = block_kinds().size();
  EXPECT_TRUE(is_known("own"));
  register_block<OwnConfig>();  // again
  EXPECT_EQ(block_kinds().size(), count);
  EXPECT_THROW(register_block<ImpostorConfig>(), Error);
  EXPECT_EQ(block_kinds().size(), count);
  EXPECT_EQ(BlockConfig::kinds(), block_kinds());
}

TEST(BlockConfig, AKindGoesByItsConfig) {
  const BlockKind& kind = block_kind_of<TransformerConfig>();
  const StackConfig stack{.width = 12, .block = TransformerConfig{.heads = 3}};
  const AnyModule<float> block = kind.make_block<float>(stack, 0);
  ASSERT_NE(block.get_if<TransformerBlock<float>>(), nullptr);
  EXPECT_EQ(block.get_if<TransformerBlock<float>>()->attention.branch.core.shape.heads, 3);
  EXPECT_EQ(parameter_count(kind.make_block<ShapeOnly>(stack, 0)), parameter_count(block));
  EXPECT_EQ(kind.make_final_norm<float>(stack).in_channels(), 12);
  EXPECT_EQ(kind.with_defaults(stack).as<TransformerConfig>().kv_heads, 3);
  Problems problems;
  StackConfig wrong = stack;
  wrong.block.as<TransformerConfig>().heads = 5;
  kind.list_problems(wrong, "stack", problems);
  EXPECT_EQ(problems.count(), 1u);
}

}  // namespace
}  // namespace megalith::tests
