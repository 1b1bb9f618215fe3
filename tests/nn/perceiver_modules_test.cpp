// SPDX-License-Identifier: Apache-2.0
// Every property of a module, for the blocks of Perceiver AR.
#include "support/module_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(Perceivers, ModuleTest, PerceiverTypes, TypeName);

}  // namespace megalith::tests
