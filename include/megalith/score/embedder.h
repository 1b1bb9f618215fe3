// SPDX-License-Identifier: Apache-2.0
// Vectors for bytes: one a patch, or one for all.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "megalith/models/any_model.h"

namespace megalith {

/// Makes vectors of bytes of any number: what the model's outermost stack makes of each patch and of what comes before it
/// (AnyModel::embed). Windows slide as a Generator's do, so that from the second on at least half a window, less a patch, is
/// in view. A last patch that is not whole is filled up with zero bytes. To rounding, a vector depends on no later patch.
class Embedder {
 public:
  /// Fills `out` with the bytes from `offset` on.
  using Read = std::function<void(std::int64_t offset, std::span<std::uint8_t> out)>;
  /// Takes the vectors of the patches that come next, end to end.
  using Take = std::function<void(std::span<const float> vectors)>;

  /// Model and workspace must outlive this. Throws Error where the model gives no embeddings, which one whose windows have a
  /// single patch does not either, nor one that reads bytes in an order of its own or records no shorter than its windows:
  /// the last patch of a window has no vector, so that windows cannot follow one another at records.
  Embedder(const AnyModel& model, Workspace& workspace);

  Index width() const { return model_.embedding_width(); }
  /// Patches that so many bytes make.
  std::int64_t patches(std::int64_t bytes) const { return (bytes + model_.unit() - 1) / model_.unit(); }

  /// The vectors of all patches of `bytes` bytes, 1 or more, in order; so that neither bytes nor vectors need fit into
  /// memory.
  void for_each_patch(std::int64_t bytes, const Read& read, const Take& take);
  /// The vectors (patches, width) of bytes in memory.
  std::vector<float> of_patches(std::span<const std::uint8_t> bytes);
  /// The mean of the vectors of all patches: one vector (width) for the whole.
  std::vector<float> of_whole(std::int64_t bytes, const Read& read);
  std::vector<float> of_whole(std::span<const std::uint8_t> bytes);

 private:
  const AnyModel& model_;
  Workspace& workspace_;
  Index length_ = 0, stride_ = 0;  // of the windows, in bytes
  std::vector<std::uint8_t> batch_;
  std::vector<float> vectors_;
};

}  // namespace megalith
