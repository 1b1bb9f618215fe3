// SPDX-License-Identifier: Apache-2.0
#include "megalith/core/name.h"

#include <gtest/gtest.h>

namespace megalith {
namespace {

TEST(Name, JoinsKeysAndIndices) {
  const Name root;
  EXPECT_EQ(root.str(), "");
  const Name blocks{&root, "blocks"}, first = Name::element(blocks, 0), weight{&first, "weight"};
  EXPECT_EQ(weight.str(), "blocks.0.weight");
  const Name anonymous{&first};  // a part that gives no name of its own
  EXPECT_EQ((Name{&anonymous, "bias"}.str()), "blocks.0.bias");
}

}  // namespace
}  // namespace megalith
