// SPDX-License-Identifier: Apache-2.0
// Whether several sequences may be decoded together without leaving a trace in each other's bits.
#pragma once

#include "megalith/models/config.h"

namespace megalith {

/// Whether the bits that read() and next() of a float model of this config give for a sequence are the same whatever number
/// of sequences stand beside it in the batch, and wherever it stands among them. Three things can make bits differ. Eigen's
/// products, used where there are no kernels of our own, are cut by the number of rows. Eigen sums and exponentiates the
/// numbers of a row before its first whole vector one by one: rows must begin at a multiple of 64 bytes, so widths must be
/// multiples of 16. And AMX multiplies many rows but not few: decoding does without it (Context::batch_invariant), score()
/// and train() do not.
bool batch_invariant(const ModelConfig& config);

}  // namespace megalith
