// SPDX-License-Identifier: Apache-2.0
// Every property of a module, for the modules made of other modules.
#include "support/module_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(Blocks, ModuleTest, BlockTypes, TypeName);

}  // namespace megalith::tests
