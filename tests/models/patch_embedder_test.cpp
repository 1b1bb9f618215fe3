// SPDX-License-Identifier: Apache-2.0
// Equations (1) and (2) of Yu et al. 2023, by hand.
#include "megalith/models/patch_embedder.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

using Ids = std::vector<ByteOrNone>;

/// Patches of two bytes, each embedded in two numbers; `width` other than 4 makes a projection. Byte v is (v, 10 v),
/// position t is (100 t, 200 t), and the pad (-1, -2, -3, -4).
PatchEmbedder<double> embedder(PositionOf of, Index width = 4) {
  const ModelConfig config{.length = 8, .scales = {{.patch = 2, .embedding = 2, .stack = {.width = width}}}};
  PatchEmbedder<double> m(config, 0, of);
  for (Index v = 0; v < kByteValues; ++v) {
    m.table.row(v)[0] = static_cast<double>(v);
    m.table.row(v)[1] = 10 * static_cast<double>(v);
  }
  for (Index t = 0; t < 8; ++t) {
    m.positions.row(t)[0] = 100 * static_cast<double>(t);
    m.positions.row(t)[1] = 200 * static_cast<double>(t);
  }
  for (Index i = 0; i < 4; ++i) m.pad.data()[i] = -static_cast<double>(i + 1);
  return m;
}

std::vector<double> embedded(const PatchEmbedder<double>& m, const Ids& ids, Index first) {
  Workspace workspace(1);
  const Context ctx(workspace);
  Frame frame(ctx.scratch());
  PatchEmbedder<double>::State closed(m, 1);
  const auto out = m.step(ctx, ids.data(), {1, std::ssize(ids)}, first, closed, frame);
  EXPECT_EQ(out.x.T, std::ssize(ids) / m.patch);
  EXPECT_EQ(out.x.C, m.width());
  return {out.x.data, out.x.data + out.x.size()};
}

// The first patch is the pad, without a position; the second reads bytes 0 and 1 with their own positions.
TEST(PatchEmbedder, ABytesPositionIsItsOwn) {
  const std::vector<double> x = embedded(embedder(PositionOf::byte), {kNoByte, kNoByte, 5, 6}, 0);
  EXPECT_EQ(x, (std::vector<double>{-1, -2, -3, -4, 5, 50, 106, 260}));
  EXPECT_EQ(embedded(embedder(PositionOf::byte), {5, 6}, 4), (std::vector<double>{205, 450, 306, 660}));
}

TEST(PatchEmbedder, OrThatOfTheRowThatReadsIt) {
  const std::vector<double> x = embedded(embedder(PositionOf::row), {kNoByte, kNoByte, 5, 6}, 0);
  EXPECT_EQ(x, (std::vector<double>{-1, -2, 97, 196, 205, 450, 306, 660}));
}

TEST(PatchEmbedder, ProjectsWherePatchesHaveAnotherWidth) {
  PatchEmbedder<double> m = embedder(PositionOf::byte, 3);
  ASSERT_TRUE(m.projects());
  ASSERT_EQ(m.width(), 3);
  m.project.weight.fill(0);
  m.project.weight.row(0)[0] = 1;  // x_0 = h_0
  m.project.weight.row(3)[2] = 2;  // x_2 = 2 h_3
  m.project.bias.data()[1] = 7;    // x_1 = 7
  EXPECT_EQ(embedded(m, {kNoByte, kNoByte, 5, 6}, 0), (std::vector<double>{-1, 7, -8, 5, 7, 520}));
  EXPECT_EQ(m.flops({1, 10}).products, 10 * 2 * 4 * 3);
  EXPECT_EQ(m.numbers({1, 20}), 10 * (4 + 3));
  EXPECT_EQ(parameter_names(m), (std::vector<std::string>{"table", "pad", "positions", "embed.weight", "embed.bias"}));
}

// Of widths 3, 5 and 7, which reach back 2, 4 and 6 rows: with matrices that pick the oldest row, row t gets what is 12 rows
// before it, where that is above 0. The rows of the pad are the first two.
TEST(PatchEmbedder, ConvolvesBytesAndThePadBeforeThem) {
  PatchEmbedder<double> m = embedder(PositionOf::byte);
  m.positions = {};
  m.convolution = PatchConvolution<double>(2, false);
  ASSERT_TRUE(m.convolves());
  for (auto& layer : m.convolution.layers) {
    layer.linear.weight.fill(0);
    for (Index c = 0; c < 2; ++c) layer.linear.weight.row(c)[c] = 1;
  }
  for (Index i = 0; i < 4; ++i) m.pad.data()[i] = i == 1 ? -7 : 0.5;
  Ids ids{kNoByte, kNoByte};
  for (ByteOrNone byte = 1; byte <= 14; ++byte) ids.push_back(byte);
  std::vector<double> wanted{0.5, -7, 0.5, 0.5};
  for (int byte = 1; byte <= 14; ++byte) wanted.insert(wanted.end(), {1.0 * byte, 10.0 * byte});
  wanted[24] += 0.5;  // byte 11 stands 12 rows after the pad's first, whose second number is below 0
  wanted[26] += 0.5;
  wanted[27] += 0.5;
  for (int byte = 13; byte <= 14; ++byte) {
    wanted[static_cast<std::size_t>(2 * byte + 2)] += byte - 12;
    wanted[static_cast<std::size_t>(2 * byte + 3)] += 10 * (byte - 12);
  }
  EXPECT_EQ(embedded(m, ids, 0), wanted);
  EXPECT_EQ(m.flops({1, 8}).products, 16 * 2 * (3 + 5 + 7) * 2 * 2);
  EXPECT_EQ(parameter_names(m), (std::vector<std::string>{"table", "pad", "convolution.0.weight", "convolution.1.weight",
                                                          "convolution.2.weight"}));
}

TEST(PatchEmbedder, GradientsGoToWhatWasRead) {
  const PatchEmbedder<double> m = embedder(PositionOf::byte);
  PatchEmbedder<double> grad = m;
  set_zero(grad);
  Workspace workspace(1);
  const Context ctx(workspace);
  Frame frame(ctx.scratch());
  const Ids ids{kNoByte, kNoByte, 5, 5};
  PatchEmbedder<double>::State state(m, 1), dstate(m, 1);
  PatchEmbedder<double>::Tape tape(m, {1, 4});
  const auto out = m.forward(ctx, ids.data(), {1, 4}, 0, state, tape, frame);
  const auto d = m.gradient_of(out, frame.seq<double>(1, 2, 4), frame);
  for (Index i = 0; i < 8; ++i) d.x.data[i] = static_cast<double>(i + 1);
  m.backward(ctx, ids.data(), out, d, grad, dstate, tape);
  EXPECT_EQ(std::vector<double>(grad.pad.span().begin(), grad.pad.span().end()), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(grad.table.row(5)[0], 5 + 7);
  EXPECT_EQ(grad.table.row(5)[1], 6 + 8);
  EXPECT_EQ(grad.positions.row(0)[0], 5);
  EXPECT_EQ(grad.positions.row(1)[1], 8);
  EXPECT_EQ(grad.positions.row(2)[0], 0);
}

}  // namespace
}  // namespace megalith::tests
