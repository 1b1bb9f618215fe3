// SPDX-License-Identifier: Apache-2.0
// Every property of a decoder, for those of linear transformer blocks.
#include "models/decoder_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(LinearFlat, DecoderTest, LinearFlatMaker);
INSTANTIATE_TYPED_TEST_SUITE_P(LinearMegabyte, DecoderTest, LinearMegabyteMaker);

}  // namespace megalith::tests
