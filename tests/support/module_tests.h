// SPDX-License-Identifier: Apache-2.0
// What every module must satisfy, one test for each property, run over the lists of support/modules.h.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "megalith/kernels/attention_tiles.h"
#include "megalith/testing/causality_check.h"
#include "megalith/testing/flops_check.h"
#include "megalith/testing/gradient_check.h"
#include "megalith/testing/precision_check.h"
#include "megalith/testing/repeat_check.h"
#include "megalith/testing/scratch_check.h"
#include "megalith/testing/state_check.h"
#include "megalith/testing/streaming_check.h"
#include "support/heap_probe.h"
#include "support/modules.h"

namespace megalith::tests {

using testing::Finding;
using testing::Trial;

template <class Type>
class ModuleTest : public ::testing::Test {
 protected:
  using Make = MakerOf<Type>;
  /// f(case, maker) for each config of the module; a failure names the case.
  template <class F>
  void for_each_case(F&& f) {
    for (const auto& c : Type::cases()) {
      SCOPED_TRACE(std::string(Type::name) + " " + c.name);
      f(c, Make{c.config});
    }
  }
  /// The same where no sanitizer runs.
  template <class F>
  void for_each_case_but_sanitized(F&& f) {
    if constexpr (kSanitized) GTEST_SKIP() << kNotUnderSanitizers;
    else for_each_case(f);
  }
  /// The maker of a case at a width near `width`.
  template <class C>
  static Make of_width(const C& c, Index width) {
    return {c.config, (width + c.width_step - 1) / c.width_step * c.width_step};
  }
};
TYPED_TEST_SUITE_P(ModuleTest);

constexpr double kFloat = 2e-5;
constexpr double kExact = exact(1e-13);  // of sums that rounding alone tells apart
// Attention by rows of dot products; and longer than a tile of its keys.
constexpr Index kTwoTiles = detail::kKeyTile + 6;
constexpr Shape kShort{2, 9}, kLong{1, kTwoTiles};

TYPED_TEST_P(ModuleTest, Adjoint) {
  const Trial trials[]{{.shape = {1, 1}},
                       {.shape = kShort},
                       {.shape = kShort, .mode = Mode::infer},
                       {.shape = kShort, .before = 1},
                       {.shape = kShort, .before = 7},
                       {.shape = {2, 1}, .before = 7},
                       {.shape = kLong},
                       {.shape = {2, 30}, .before = 45},
                       {.shape = {1, 30}, .before = detail::kKeyTile - 10}};
  this->for_each_case_but_sanitized([&](const auto&, const auto& make) {
    for (const Trial& trial : trials) {
      const Finding found = testing::check_gradients(make, trial);
      EXPECT_LT(found.error, kExact) << found.where << " at T = " << trial.shape.T << " after " << trial.before;
    }
  });
}

// In training: dropout draws the same in chunks, in steps and in parts of a batch.
constexpr Shape kCutShapes[]{{1, 9}, {3, 10}, {1, kTwoTiles}, {2, 80}};

TYPED_TEST_P(ModuleTest, Chunks) {
  this->for_each_case([&](const auto&, const auto& make) {
    for (const Shape shape : kCutShapes) {
      const Finding found = testing::check_chunks<Exact>(make, {.shape = shape, .mode = Mode::train});
      EXPECT_LT(found.error, kExact) << found.where << " of T = " << shape.T;
    }
  });
}

TYPED_TEST_P(ModuleTest, Steps) {
  this->for_each_case([&](const auto&, const auto& make) {
    for (const Shape shape : kCutShapes) {
      const Finding found = testing::check_steps<Exact>(make, {.shape = shape, .mode = Mode::train});
      EXPECT_LT(found.error, kExact) << found.where << " of T = " << shape.T;
    }
  });
}

TYPED_TEST_P(ModuleTest, BatchParts) {
  this->for_each_case([&](const auto&, const auto& make) {
    for (const Shape shape : {Shape{3, 5}, Shape{2, kTwoTiles}}) {
      const Finding found = testing::check_batch_parts<Exact>(make, {.shape = shape, .mode = Mode::train});
      EXPECT_LT(found.error, kExact) << found.where << " of T = " << shape.T;
    }
  });
}

TYPED_TEST_P(ModuleTest, ClosedStateIsAFreshOne) {
  this->for_each_case([&](const auto&, const auto& make) {
    for (const Shape shape : {Shape{1, 1}, kShort, kLong}) {
      const Finding found = testing::check_closed_state<Exact>(make, {.shape = shape});
      EXPECT_LT(found.error, kExact) << found.where << " of T = " << shape.T;
    }
  });
}

TYPED_TEST_P(ModuleTest, StateIsItsFields) {
  this->for_each_case([&](const auto&, const auto& make) {
    for (const Shape shape : {kShort, Shape{2, kTwoTiles}}) {
      const Finding found = testing::check_state_fields<Exact>(make, {.shape = shape});
      EXPECT_EQ(found.error, 0) << found.where << " of T = " << shape.T;
    }
  });
}

TYPED_TEST_P(ModuleTest, Repeatable) {
  this->for_each_case([&](const auto&, const auto& make) {
    for (const Shape shape : {kShort, kLong}) {
      const Finding found = testing::check_repeatable<Exact>(make, {.shape = shape});
      EXPECT_EQ(found.error, 0) << found.where << " of T = " << shape.T;
      if (kSanitized) continue;
      const Finding in_float = testing::check_repeatable<float>(make, {.shape = shape});
      EXPECT_EQ(in_float.error, 0) << in_float.where << " of T = " << shape.T << ", float";
    }
  });
}

TYPED_TEST_P(ModuleTest, Causal) {
  this->for_each_case([&](const auto&, const auto& make) {
    for (const Shape shape : {Shape{3, 10}, Shape{2, kTwoTiles}}) {
      const Finding found = testing::check_causal(make, {.shape = shape});
      EXPECT_EQ(found.error, 0) << found.where << " of T = " << shape.T;
    }
  });
}

TYPED_TEST_P(ModuleTest, FloatMatchesDouble) {
  this->for_each_case([&](const auto& c, const auto& plain) {
    const auto test = [](const auto& make, Shape shape) {
      Finding found;
      if constexpr (kSanitized) found = testing::check_repeatable<float>(make, {.shape = shape});
      else found = testing::check_float(make, {.shape = shape});
      EXPECT_LT(found.error, kFloat) << found.where << " of T = " << shape.T << ", width " << make.width;
    };
    // Around the tiles of attention and of both product libraries.
    for (const Index tile : {64, 128, 256}) {
      if (c.light && tile > 64) continue;
      for (const Index T : {Index{1}, tile - 1, tile, tile + 1, 2 * tile + 3}) test(plain, {1, T});
    }
    for (const Index tile : {128, 512}) {
      if (c.light && tile > 128) continue;
      for (const Index width : {Index{1}, tile - 1, tile, tile + 1, 2 * tile + 3})
        test(this->of_width(c, width), {1, width > 512 ? 3 : 21});
    }
  });
}

TYPED_TEST_P(ModuleTest, Threads) {
  this->for_each_case([&](const auto& c, const auto& make) {
    // 5200 rows: products of at least 20 tiles (of 96 rows, 128 with Eigen), and 300 tiles of attention.
    const Finding found = testing::check_threads(this->of_width(c, c.light ? 36 : 132), {.shape = {20, 260}});
    EXPECT_EQ(found.error, 0) << found.where;
    const Finding short_ones = testing::check_threads(make, {.shape = {200, 8}});
    EXPECT_EQ(short_ones.error, 0) << short_ones.where << ", many short sequences";
  });
}

TYPED_TEST_P(ModuleTest, Flops) {
  this->for_each_case_but_sanitized([&](const auto&, const auto& make) {
    for (const Shape shape : {Shape{1, 1}, Shape{3, 1}, kShort, kLong}) {
      const testing::FlopCount flops = testing::count_flops(make, {.shape = shape});
      EXPECT_EQ(flops.claimed, flops.steps) << "T = " << shape.T;
      EXPECT_GE(flops.forward, flops.claimed) << "T = " << shape.T;
      if (shape.T < 16) {
        EXPECT_EQ(flops.forward, flops.claimed) << "T = " << shape.T;
      }  // no tiles, so nothing is masked
    }
  });
}

TYPED_TEST_P(ModuleTest, Scratch) {
  this->for_each_case_but_sanitized([&](const auto& c, const auto&) {
    const auto make = this->of_width(c, 48);
    for (const int threads : {1, 2}) {
      for (const Pass pass : {Pass::forward, Pass::step, Pass::backward}) {
        const testing::ScratchCount n = testing::count_scratch(make, {.shape = {8, 300}, .threads = threads}, pass);
        const double slack = 10240 * threads;  // rows of norms and sums, what aligns, and what products in fp32 would pack
        // Of two threads one may find nothing left to do, and take no scratch.
        if (threads == 1) {
          EXPECT_LE(n.claimed, 1.3 * n.taken + slack) << "pass " << static_cast<int>(pass);
        }
        EXPECT_GE(n.claimed, 0.7 * n.taken - slack) << "pass " << static_cast<int>(pass) << ", threads " << threads;
      }
    }
  });
}

TYPED_TEST_P(ModuleTest, ShapesAloneTellTheMemory) {
  this->for_each_case_but_sanitized([&](const auto& c, const auto&) {
    const auto make = this->of_width(c, 96);
    const auto of_shapes = make.template operator()<ShapeOnly>();
    const auto of_numbers = make.template operator()<float>();
    using Shapes = std::remove_const_t<decltype(of_shapes)>;
    using Numbers = std::remove_const_t<decltype(of_numbers)>;
    constexpr Index B = 8, T = 300;
    const auto compare = [](const char* what, double claimed, auto&& made) {
      const std::size_t before = live_heap();
      [[maybe_unused]] const auto value = made();
      const double bytes = static_cast<double>(live_heap() - before);
      const double slack = 40000;  // a page for each tensor, and what is held beside numbers
      EXPECT_NEAR(4 * claimed, bytes, 0.01 * bytes + slack) << what;
    };
    compare("module", numbers_of([&] { return make.template operator()<ShapeOnly>(); }),
            [&] { return make.template operator()<float>(); });
    compare("tape", numbers_of([&] {
              return typename Shapes::Tape(of_shapes, {B, T});
            }),
            [&] {
              return typename Numbers::Tape(of_numbers, {B, T});
            });
    compare("state", numbers_of([&] { return typename Shapes::State(of_shapes, B, T); }),
            [&] { return typename Numbers::State(of_numbers, B, T); });
  });
}

TYPED_TEST_P(ModuleTest, NoHeap) {
  // Which thread gets a task is left to chance, so one may meet its largest task late and grow then. What allocates in
  // every step does so in each of three tries.
  const auto least_of_three = [](auto&& measure) { return std::min({measure(), measure(), measure()}); };
  this->for_each_case_but_sanitized([&](const auto&, const auto& make) {
    for (const Trial& trial : {Trial{.shape = {2, 9}, .threads = 2}, Trial{.shape = kLong, .threads = 2}}) {
      const auto s = testing::draw_sample<float>(make, trial);
      using M = std::remove_const_t<decltype(s.module)>;
      const Index B = trial.shape.B, T = trial.shape.T;
      Workspace workspace(trial.threads);
      const Context ctx = testing::context_of(trial, workspace);
      Tensor<float> y = s.dy, dx = s.x;
      M grad = s.module;
      typename M::Tape tape(s.module, trial.shape);
      typename M::State state(s.module, B), dstate(s.module, B);
      const auto train = [&] {
        s.module.forward(ctx, testing::view(s.x), testing::view(y), state, tape);
        s.module.backward(ctx, testing::view(s.x), testing::view(s.dy), testing::view(dx), grad, dstate, tape);
      };
      train();
      train();
      EXPECT_EQ(least_of_three([&] { return allocations_in(train); }), 0) << "in a warm training step";

      // A first generation grows the scratch; the second, in a state that was there before, takes nothing.
      const typename M::State fresh(s.module, B, T);
      typename M::State open = fresh;
      const Tensor<float> row = testing::rows_of(s.x, 0, 1);
      Tensor<float> out = testing::rows_of(y, 0, 1);
      const auto generate = [&] {
        for (Index t = 0; t < T; ++t) s.module.step(ctx.from_position(t), testing::view(row), testing::view(out), open);
      };
      generate();
      const auto allocations_in_generation = [&] {
        open = fresh;
        return allocations_in(generate);
      };
      EXPECT_EQ(least_of_three(allocations_in_generation), 0) << "in decoding";
    }
  });
}

REGISTER_TYPED_TEST_SUITE_P(ModuleTest, Adjoint, Chunks, Steps, BatchParts, ClosedStateIsAFreshOne, StateIsItsFields,
                            Repeatable, Causal, FloatMatchesDouble, Threads, Flops, Scratch, ShapesAloneTellTheMemory,
                            NoHeap);

}  // namespace megalith::tests
