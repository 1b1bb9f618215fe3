// SPDX-License-Identifier: Apache-2.0
// Every property of a decoder, for Megabyte.
#include "models/decoder_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(Megabyte, DecoderTest, MegabyteMaker);

}  // namespace megalith::tests
