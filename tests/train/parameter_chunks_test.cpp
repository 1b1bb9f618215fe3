// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/parameter_chunks.h"

#include <gtest/gtest.h>

#include "train/numbers.h"

namespace megalith {
namespace {

/// Parameters around the sizes of chunks and pieces.
struct Parameters {
  Parameters() {
    for (Tensor<float>& t : tensors) list.push_back({"p", Role::other, &t});
  }
  std::vector<Tensor<float>> tensors{Tensor<float>({1}), Tensor<float>({3, 1024}), Tensor<float>({70'000})};
  std::vector<Parameter> list;
};

TEST(ParameterChunks, CoverEveryNumberOnce) {
  Parameters p;
  Workspace workspace(3);
  const ParameterChunks chunks(p.list);
  EXPECT_EQ(chunks.count(), 1 + 1 + 3);  // of 32 Ki numbers at most
  std::vector<int> numbers(static_cast<std::size_t>(chunks.count()));
  chunks.parallel(Context(workspace), [&](const ParameterChunk& c, Index number) {
    ++numbers[static_cast<std::size_t>(number)];
    ParameterChunks::view(p.tensors[c.parameter], c).array() += 1;
  });
  for (const float x : tests::all_numbers(p.list)) ASSERT_EQ(x, 1);
  for (const int n : numbers) EXPECT_EQ(n, 1);
}

TEST(ParameterChunks, PiecesCoverEveryNumberOnce) {
  Parameters p;
  Workspace workspace(3);
  ParameterChunks(p.list).parallel_pieces(Context(workspace), [&](const ParameterChunk& piece) {
    EXPECT_GT(piece.size, 0);
    EXPECT_LE(piece.size, 1024);
    ParameterChunks::view(p.tensors[piece.parameter], piece).array() += 1;
  });
  for (const float x : tests::all_numbers(p.list)) ASSERT_EQ(x, 1);
}

}  // namespace
}  // namespace megalith
