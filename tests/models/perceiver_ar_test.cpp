// SPDX-License-Identifier: Apache-2.0
// Every property of a decoder, for Perceiver AR.
#include "models/decoder_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(PerceiverAr, DecoderTest, PerceiverArMaker);

}  // namespace megalith::tests
