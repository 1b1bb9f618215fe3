// SPDX-License-Identifier: Apache-2.0
// How well a model predicts bytes that it was not trained on.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "megalith/models/any_model.h"
#include "megalith/train/corpus.h"

namespace megalith {

/// What a callback answers.
enum class Control { go_on, stop };

struct Evaluation {
  double bits = 0;            // the loss of all bytes together
  std::int64_t bytes = 0;     // how many were read
  bool stopped = false;       // a callback ended it early
  std::int64_t left_out = 0;  // of the data: ends of files that are no whole record, where records have a scan

  double bits_per_byte() const { return bytes == 0 ? 0 : bits / static_cast<double>(bytes); }
};

struct EvaluateConfig {
  Index length = 0;  // bytes in a window; 0 means the model's (AnyModel::window)
  /// From the start of a window to that of the next; 0 means the bytes that training predicts of a window (of most models
  /// the length: no overlap).
  Index stride = 0;
  std::int64_t max_bytes = 0;  // about this many, in windows spread evenly over all files; 0 means all
  /// Strided inference (Yu et al. 2023, 2.3.3): losses rise towards the end of a patch, so each window is read twice, the
  /// second time from the middle P/2 of its first patch on, and of each patch of either pass only the losses of the first
  /// P/2 bytes are taken. Those of a patch with nothing before it are all of the first pass; the second one has not seen its
  /// first half. It takes twice the time. P is the model's unit, and must be even.
  bool strided = false;
  /// Without windows: each file is one sequence, whatever its length, which the model reads in pieces, carrying its State
  /// from one to the next, in the same memory for files of any length. Only for models without a longest sequence
  /// (AnyModel::max_length). `length` is then that of a piece, which changes the losses by no more than rounding; 0 means
  /// one that suits the machine. There is no stride, no sample (max_bytes), and nothing is strided.
  bool stream = false;
  /// Called in order with the losses, in bits, of consecutive bytes of a file; `offset` is that of the first byte in the
  /// file.
  std::function<void(const CorpusFile& file, std::int64_t offset, std::span<const float> bits)> losses{};
  /// Called now and then with the bytes done and the bytes in all.
  std::function<Control(std::int64_t done, std::int64_t total)> progress{};
};

/// The loss of the bytes of `data` under the model. Every file starts afresh and is cut into windows that are read each from
/// its start; the last one is padded to a multiple of the model's units, and the loss of the padding does not count. With a
/// stride shorter than the length, windows overlap: of each but the first of a file, the first length - stride bytes are
/// context, whose losses the window before gave (SlidingWindow). A stream has no windows (EvaluateConfig::stream). Where the
/// slice begins or ends inside a file, that part counts as a file; separators between files are not read. Records are read
/// in the model's order (AnyModel::record), and then a file's end that is no whole record is left out and counted; losses
/// are handed over in the file's order. The bits of the result do not depend on the workspace's threads. Throws Error when
/// the slice is empty, or length, stride or stream do not suit the model.
Evaluation evaluate(const AnyModel& model, Workspace& workspace, const CorpusSlice& data, const EvaluateConfig& config = {});

/// The same of bytes in memory, which count as one file without a name.
Evaluation evaluate(const AnyModel& model, Workspace& workspace, std::span<const std::uint8_t> bytes,
                    const EvaluateConfig& config = {});

}  // namespace megalith
