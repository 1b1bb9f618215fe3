// SPDX-License-Identifier: Apache-2.0
// Every property of a decoder, for ThreeScale.
#include "models/decoder_tests.h"

namespace megalith::tests {

using Cases = ::testing::Types<ThreeScaleCase, ThreeScalePadsCase>;
INSTANTIATE_TYPED_TEST_SUITE_P(ThreeScale, DecoderTest, Cases);

}  // namespace megalith::tests
