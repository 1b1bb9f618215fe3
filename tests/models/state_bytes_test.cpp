// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/state_bytes.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

/// One field of each type that a State may have.
struct AllFields {
  Tensor<float> numbers{{2, 3}};
  std::vector<std::int16_t> bytes;
  Index count = 0;

  template <class F, class St>
  static void visit_all(const Name& at, F&& f, St& s) {
    f(Name{&at, "numbers"}, s.numbers);
    f(Name{&at, "bytes"}, s.bytes);
    f(Name{&at, "count"}, s.count);
  }
};

AllFields some_state() {
  AllFields s;
  for (Index i = 0; i < 6; ++i) s.numbers.data()[i] = static_cast<float>(i) / 3;
  s.bytes = {-1, 255};
  s.count = Index{1} << 40;
  return s;
}

TEST(StateBytes, AreTheFieldsAfterTheirNamesAndSizes) {
  const std::vector<std::byte> saved = save_state(some_state());
  const std::string text(reinterpret_cast<const char*>(saved.data()));
  EXPECT_EQ(text, "numbers 6x4\nbytes 2x2\ncount 1x8\n");
  EXPECT_EQ(saved.size(), text.size() + 1 + 6 * 4 + 2 * 2 + 8);
}

TEST(StateBytes, ComeBack) {
  AllFields loaded;
  loaded.bytes.resize(2);
  load_state(loaded, save_state(some_state()));
  EXPECT_EQ(save_state(loaded), save_state(some_state()));
  EXPECT_EQ(loaded.bytes, (std::vector<std::int16_t>{-1, 255}));
  EXPECT_EQ(loaded.count, Index{1} << 40);
  EXPECT_EQ(loaded.numbers.data()[5], 5.0f / 3);
}

TEST(StateBytes, OfOtherSizesAreRefused) {
  std::vector<std::byte> saved = save_state(some_state());
  AllFields longer;
  longer.bytes.resize(3);
  EXPECT_ERROR(load_state(longer, saved), kDamagedState);
  AllFields other = some_state();
  EXPECT_ERROR(load_state(other, std::span(saved).first(0)), kDamagedState);
  EXPECT_ERROR(load_state(other, std::span(saved).first(saved.size() - 1)), kDamagedState);
  saved.push_back({});
  EXPECT_ERROR(load_state(other, saved), kDamagedState);
}

}  // namespace
}  // namespace megalith
