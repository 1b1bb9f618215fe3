// SPDX-License-Identifier: Apache-2.0
// Every property of a module, for moving averages.
#include "support/module_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(MovingAverages, ModuleTest, EmaTypes, TypeName);

}  // namespace megalith::tests
