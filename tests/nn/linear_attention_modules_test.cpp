// SPDX-License-Identifier: Apache-2.0
// Every property of a module, for linear attention and its block.
#include "support/module_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(LinearAttentions, ModuleTest, LinearAttentionTypes, TypeName);

}  // namespace megalith::tests
