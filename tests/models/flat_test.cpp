// SPDX-License-Identifier: Apache-2.0
// Every property of a decoder, for Vanilla.
#include "models/decoder_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(Vanilla, DecoderTest, VanillaMaker);

}  // namespace megalith::tests
