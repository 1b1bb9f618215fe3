// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/any_module.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <variant>

#include "megalith/nn/transformer_block.h"
#include "support/forward.h"
#include "support/heap_probe.h"

namespace megalith::tests {
namespace {

template <class S>
using Block = TransformerBlock<S>;
template <class S>
using Any = AnyModule<S>;

const StackConfig kConfig{.width = 6, .dropout = 0.2, .block = TransformerConfig{.heads = 2, .hidden = 7}};

template <class S>
Any<S> any_block() {
  Any<S> m{Block<S>(kConfig)};
  if constexpr (!std::is_same_v<S, ShapeOnly>) testing::fill_parameters(m, {1});
  return m;
}

/// x of one sequence after another, through one State.
Tensor<float> continued(const Any<float>& m, Any<float>::State& state, const Tensor<float>& x) {
  Workspace workspace(1);
  Tensor<float> y = x;
  m.step(Context(workspace), testing::view(x), testing::view(y), state);
  return y;
}

TEST(AnyModule, IsWhatItHolds) {
  Block<float> block(kConfig);
  testing::fill_parameters(block, {1});
  const Any<float> m(block);
  const Tensor<float> x = noise<float>({2, 5, 6});
  EXPECT_EQ(testing::bit_error(forward(m, x, Mode::train), forward(block, x, Mode::train)), 0);
  EXPECT_EQ(parameter_names(m), parameter_names(block));
  EXPECT_EQ(parameter_count(m), parameter_count(block));
  EXPECT_EQ(m.flops({2, 5}), block.flops({2, 5}));
  EXPECT_EQ(m.scratch({2, 5}, Pass::backward, 2), block.scratch({2, 5}, Pass::backward, 2));
  ASSERT_NE(m.get_if<Block<float>>(), nullptr);
  EXPECT_EQ(m.get_if<Linear<float>>(), nullptr);
}

TEST(AnyModule, KeepsTheRolesOfParameters) {
  const auto roles = [](const auto& m) {
    std::vector<Role> all;
    for_each_parameter(m, [&](const Name& name, const auto&) { all.push_back(name.role); });
    return all;
  };
  EXPECT_EQ(roles(any_block<float>()), roles(Block<float>(kConfig)));
}

TEST(AnyModule, ACopyIsApart) {
  Any<float> m = any_block<float>();
  const Tensor<float> x = noise<float>({1, 5, 6}), before = forward(m, x);
  Any<float> copy = m;
  set_zero(m);
  EXPECT_EQ(testing::bit_error(forward(copy, x), before), 0);
  EXPECT_NE(testing::bit_error(forward(m, x), before), 0);
  m = copy;
  EXPECT_EQ(testing::bit_error(forward(m, x), before), 0);
  const Any<float> moved = std::move(copy);
  EXPECT_EQ(testing::bit_error(forward(moved, x), before), 0);
}

TEST(AnyModule, ZipsWithAnotherScalarAndWithConst) {
  Any<float> single = any_block<float>();
  const Any<double> twice = any_block<double>();
  const Any<ShapeOnly> shapes = any_block<ShapeOnly>();
  set_zero(single);
  std::vector<std::string> names;
  Any<float>::visit(
      Name{nullptr, "a"},
      [&](const Name& name, auto& to, auto& from, auto& shape) {
        static_assert(!std::is_const_v<std::remove_reference_t<decltype(to)>>);
        static_assert(std::is_same_v<decltype(from), const Tensor<double>&>);
        static_assert(std::is_same_v<decltype(shape), const Tensor<ShapeOnly>&>);
        names.push_back(name.str());
        ASSERT_EQ(to.size(), from.size());
        ASSERT_EQ(to.size(), shape.size());
        for (Index i = 0; i < to.size(); ++i) to.data()[i] = static_cast<float>(from.data()[i]);
      },
      single, twice, shapes);
  ASSERT_EQ(names.size(), 12u);
  EXPECT_EQ(names.front(), "a.attention.norm.gain");
  const Tensor<float> x = noise<float>({1, 5, 6});
  EXPECT_EQ(testing::bit_error(forward(single, x), forward(any_block<float>(), x)), 0);
}

TEST(AnyModule, ZipsWithAModuleOfItsKind) {
  Block<double> block(kConfig);
  const Any<double> any = any_block<double>();
  Block<double>::visit(
      Name{}, [](const Name&, Tensor<double>& p) { p.fill(0); }, block);
  Any<double>::visit(
      Name{}, [](const Name&, const Tensor<double>& from, Tensor<double>& to) { to = from; }, any, block);
  const Tensor<double> x = noise({1, 5, 6});
  EXPECT_EQ(testing::bit_error(forward(block, x), forward(any, x)), 0);
}

TEST(AnyModule, TheCopyOfAStateBranches) {
  const Any<float> m = any_block<float>();
  const Tensor<float> x = noise<float>({2, 4, 6}), other = noise<float>({2, 4, 6}, 2);
  Any<float>::State state(m, 2, 12);
  continued(m, state, x);
  Any<float>::State branch = state;
  continued(m, branch, other);
  const Tensor<float> expected = continued(m, state, x);
  Any<float>::State again(m, 2, 12);
  continued(m, again, x);
  EXPECT_EQ(testing::bit_error(continued(m, again, x), expected), 0);
  EXPECT_TRUE(again.valid(8));
  EXPECT_FALSE(again.valid(7));
  again.reset();
  EXPECT_TRUE(again.valid(0));
}

TEST(AnyModule, VisitsTheFieldsOfItsState) {
  const Any<float> m = any_block<float>();
  Any<float>::State open(m, 2, 12);
  const Any<float>::State closed(m, 2);
  const auto fields = [](auto& state) {
    std::vector<std::string> names;
    Any<float>::State::visit_all(
        Name{nullptr, "s"}, [&](const Name& name, auto&) { names.push_back(name.str()); }, state);
    return names;
  };
  EXPECT_EQ(fields(open), (std::vector<std::string>{"s.kv", "s.kept", "s.position"}));
  EXPECT_EQ(fields(closed), (std::vector<std::string>{"s.kept", "s.position"}));
  const Any<float>::State other = open;
  Index tensors = 0;
  Any<float>::State::visit(
      Name{}, [&](const Name&, Tensor<float>& a, const Tensor<float>& b) { tensors += a.size() == b.size(); }, open, other);
  EXPECT_EQ(tensors, 1);
}

TEST(AnyModule, OverShapesItHasAsManyNumbers) {
  const Any<ShapeOnly> shapes = any_block<ShapeOnly>();
  const Block<ShapeOnly> block(kConfig);
  EXPECT_EQ(parameter_count(shapes), parameter_count(any_block<float>()));
  const double of_tape = numbers_of([&] { return Any<ShapeOnly>::Tape(shapes, {2, 9}); });
  EXPECT_EQ(of_tape, numbers_of([&] { return Block<ShapeOnly>::Tape(block, {2, 9}); }));
  EXPECT_GT(of_tape, 2 * 9 * 6);
  EXPECT_EQ(numbers_of([&] { return Any<ShapeOnly>::State(shapes, 2, 9); }), 2 * 9 * 12);
}

TEST(AnyModule, WarmCallsTakeNothingFromTheHeap) {
  if (!kHeapProbe) GTEST_SKIP() << "the address sanitizer has a heap of its own";
  const Any<float> m = any_block<float>();
  const Tensor<float> x = noise<float>({2, 9, 6});
  Tensor<float> y = x, dx = x;
  Any<float> grad = m;
  Any<float>::Tape tape(m, {2, 9});
  Any<float>::State state(m, 2), dstate(m, 2), open(m, 2, 18);
  Workspace workspace(1);
  const Context ctx(workspace);
  const auto all_calls = [&] {
    m.forward(ctx, testing::view(x), testing::view(y), state, tape);
    m.backward(ctx, testing::view(x), testing::view(std::as_const(y)), testing::view(dx), grad, dstate, tape);
    m.step(ctx, testing::view(x), testing::view(y), open);
  };
  all_calls();
  EXPECT_EQ(allocations_in(all_calls), 0);
}

}  // namespace
}  // namespace megalith::tests
