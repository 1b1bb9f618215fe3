// SPDX-License-Identifier: Apache-2.0
// Every property of a decoder, for ThreeScale.
#include "models/decoder_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(ThreeScale, DecoderTest, ThreeScaleMaker);

}  // namespace megalith::tests
