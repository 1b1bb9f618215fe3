// SPDX-License-Identifier: Apache-2.0
// Every property of a module, for the modules of attention.
#include "support/module_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(Attentions, ModuleTest, AttentionTypes, TypeName);

}  // namespace megalith::tests
