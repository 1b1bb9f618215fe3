// SPDX-License-Identifier: Apache-2.0
// Every property of a decoder, for Megabyte.
#include "models/decoder_tests.h"

namespace megalith::tests {

using Cases = ::testing::Types<PaperCase, OptionsCase>;
INSTANTIATE_TYPED_TEST_SUITE_P(Megabyte, DecoderTest, Cases);

}  // namespace megalith::tests
