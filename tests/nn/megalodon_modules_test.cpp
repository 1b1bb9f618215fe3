// SPDX-License-Identifier: Apache-2.0
// Every property of a module, for MEGALODON's block, each of whose parts is there or not.
#include "support/module_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(Megalodons, ModuleTest, MegalodonTypes, TypeName);

}  // namespace megalith::tests
