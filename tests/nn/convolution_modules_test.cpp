// SPDX-License-Identifier: Apache-2.0
// Every property of a module, for convolutions and the patch embedder.
#include "support/module_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(Convolutions, ModuleTest, ConvolutionTypes, TypeName);

}  // namespace megalith::tests
