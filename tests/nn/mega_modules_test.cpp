// SPDX-License-Identifier: Apache-2.0
// Every property of a module, for MEGA's block with each of its functions, biases and orders of norms.
#include "support/module_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(Megas, ModuleTest, MegaTypes, TypeName);

}  // namespace megalith::tests
