// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/attention_state.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <vector>

namespace megalith::tests {
namespace {

/// What a State asks of its module.
struct Shaped {
  AttentionShape shape;
};
Shaped with_mask(AttentionMask mask) {
  return {{.heads = 2, .kv_heads = 1, .key_width = 2, .value_width = 1, .mask = mask}};
}
constexpr AttentionMask kWindow{.size = 4}, kChunk{.kind = MaskKind::chunk, .size = 4, .overlap = 2};

/// Rows of two sequences whose keys and values tell which sequence and position they are: (b, position, -position).
Tensor<double> projected(Index position, Index T) {
  Tensor<double> rows({2, T, 4 + 3});  // two heads of queries before them
  for (Index b = 0; b < 2; ++b) {
    for (Index t = 0; t < T; ++t) {
      double* const kv = rows.row(b * T + t) + 4;
      kv[0] = static_cast<double>(b);
      kv[1] = static_cast<double>(position + t);
      kv[2] = -kv[1];
    }
  }
  return rows;
}
Seq<const double> view(const Tensor<double>& t) { return {t.data(), t.dims()[0], t.dims()[1], t.dims()[2]}; }

/// The rows in use are those of the positions before `position`, in order.
void expect_last_rows(const AttentionState<double>& state) {
  ASSERT_TRUE(state.valid(state.position));
  EXPECT_GE(state.kept, state.mask.visible_before(state.position)) << "at " << state.position;
  for (Index b = 0; b < 2; ++b) {
    for (Index j = 0; j < state.kept; ++j) {
      EXPECT_EQ(state.row(b, j)[0], static_cast<double>(b));
      EXPECT_EQ(state.row(b, j)[1], static_cast<double>(state.first_position() + j)) << "at " << state.position;
      EXPECT_EQ(state.row(b, j)[2], -state.row(b, j)[1]);
    }
  }
}

struct AttentionStateTest : ::testing::Test {
  Workspace workspace{2};
  Context ctx{workspace};
};

TEST_F(AttentionStateTest, RoomIsBoundedByTheMask) {
  EXPECT_EQ(AttentionState<float>(with_mask({}), 2, 1000).capacity(), 1000);
  EXPECT_EQ(AttentionState<float>(with_mask(kWindow), 2, 1000).capacity(), 8);
  EXPECT_EQ(AttentionState<float>(with_mask(kWindow), 2, 5).capacity(), 5);
  EXPECT_EQ(AttentionState<float>(with_mask(kChunk), 2, 1000).capacity(), 6);
  EXPECT_EQ(AttentionState<float>(with_mask({}), 2).capacity(), 0);
  EXPECT_FALSE(AttentionState<float>(with_mask({}), 2).open());
  const AttentionState<float> grouped(Shaped{{.heads = 6, .kv_heads = 2, .key_width = 3, .value_width = 5}}, 4, 7);
  EXPECT_EQ(std::vector<Index>(grouped.kv.dims().begin(), grouped.kv.dims().end()), (std::vector<Index>{4, 7, 2 * (3 + 5)}));
}

TEST_F(AttentionStateTest, AppendsWhileThereIsRoom) {
  for (const AttentionMask& mask : {AttentionMask{}, kWindow, kChunk}) {
    AttentionState<double> state(with_mask(mask), 2, 40);
    for (Index p = 0; p < 40; ++p) {
      ASSERT_TRUE(state.make_room(ctx, 1)) << p;
      state.append(ctx, view(projected(p, 1)));
      EXPECT_EQ(state.position, p + 1);
      expect_last_rows(state);
    }
    AttentionState<double> copy = state;  // a branch of its own
    state.reset();
    EXPECT_EQ(state.position + state.kept, 0);
    expect_last_rows(copy);
    EXPECT_EQ(copy.position, 40);
    if (mask.size > 0) {
      EXPECT_FALSE(copy.make_room(ctx, copy.capacity() + 1));
    }
  }
}

TEST_F(AttentionStateTest, OldRowsAreMovedOnceInAWindowOrAChunk) {
  for (const AttentionMask& mask : {kWindow, kChunk}) {
    AttentionState<double> state(with_mask(mask), 2, 400);
    Index moves = 0;
    for (Index p = 0; p < 400; ++p) {
      const Index before = state.kept;
      state.make_room(ctx, 1);
      moves += state.kept < before;
      state.append(ctx, view(projected(p, 1)));
    }
    EXPECT_LE(moves, 400 / mask.size);
  }
}

TEST_F(AttentionStateTest, KeepsWhatIsStillSeen) {
  for (const AttentionMask& mask : {AttentionMask{}, kWindow, kChunk}) {
    for (Index end = 1; end < 20; ++end) {
      AttentionState<double> state(with_mask(mask), 2, 20);
      Tensor<double> kv({2, end, 3});
      const Tensor<double> rows = projected(0, end);
      for (Index i = 0; i < 2 * end; ++i) std::copy_n(rows.row(i) + 4, 3, kv.row(i));
      state.keep_last(ctx, kv.data(), end, end);
      EXPECT_EQ(state.kept, mask.visible_before(end));
      expect_last_rows(state);

      Tensor<double> gradient({2, end, 3});
      gradient.fill(7);
      state.scatter_last(ctx, gradient.data(), end);
      for (Index i = 0; i < 2 * end; ++i)
        for (Index c = 0; c < 3; ++c)
          EXPECT_EQ(gradient.row(i)[c], i % end >= end - state.kept ? kv.row(i)[c] : 0) << i << " of " << end;
    }
  }
}

TEST_F(AttentionStateTest, VisitsEveryField) {
  AttentionState<double> open(with_mask(kWindow), 2, 8);
  AttentionState<double> other = open, closed(with_mask(kWindow), 2);
  const auto fields = [](auto&... states) {
    std::vector<std::string> names;
    AttentionState<double>::visit_all(
        Name{nullptr, "a"},
        [&](const Name& name, auto& field, auto&...) {
          names.push_back(name.str() + (std::is_same_v<std::remove_reference_t<decltype(field)>, Index> ? " number" : ""));
        },
        states...);
    return names;
  };
  EXPECT_EQ(fields(open), (std::vector<std::string>{"a.kv", "a.kept number", "a.position number"}));
  EXPECT_EQ(fields(closed), (std::vector<std::string>{"a.kept number", "a.position number"}));
  open.append(ctx, view(projected(0, 3)));
  AttentionState<double>::visit_all(
      Name{}, [](const Name&, const auto& from, auto& to) { to = from; }, std::as_const(open), other);
  EXPECT_EQ(other.kept, 3);
  expect_last_rows(other);
}

TEST_F(AttentionStateTest, KnowsCountersOfAnotherSequence) {
  AttentionState<double> state(with_mask(kWindow), 2, 100), closed(with_mask(kWindow), 2);
  EXPECT_TRUE(state.valid(0));
  EXPECT_FALSE(state.valid(1));
  EXPECT_TRUE(closed.valid(0));
  EXPECT_TRUE(closed.valid(7));  // it keeps nothing, whatever was read
  const auto valid_with = [&](Index kept, Index position, Index rows) {
    state.kept = kept;
    state.position = position;
    return state.valid(rows);
  };
  EXPECT_TRUE(valid_with(8, 8, 8));
  EXPECT_TRUE(valid_with(3, 90, 90));
  EXPECT_FALSE(valid_with(3, 90, 91));
  EXPECT_FALSE(valid_with(2, 90, 90));  // the next position sees three
  EXPECT_TRUE(valid_with(2, 2, 2));
  EXPECT_FALSE(valid_with(9, 20, 20));
  EXPECT_FALSE(valid_with(-1, 20, 20));
  EXPECT_FALSE(valid_with(3, 2, 2));
  closed.kept = 1;
  closed.position = 1;
  EXPECT_FALSE(closed.valid(1));
}

}  // namespace
}  // namespace megalith::tests
