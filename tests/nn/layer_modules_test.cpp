// SPDX-License-Identifier: Apache-2.0
// Every property of a module, for the modules that stand alone at each position.
#include "support/module_tests.h"

namespace megalith::tests {

INSTANTIATE_TYPED_TEST_SUITE_P(Layers, ModuleTest, LayerTypes, TypeName);

}  // namespace megalith::tests
