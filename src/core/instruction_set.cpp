// SPDX-License-Identifier: Apache-2.0
// Defines the symbols of the instruction sets for which a file linked with this library may be compiled.
#include "megalith/core/instruction_set.h"

namespace megalith::detail {

#ifdef MEGALITH_FOR_ANY_MACHINE
const char this_file_is_compiled_for_avx512f_but_libmegalith_is_not = 0;
const char this_file_is_compiled_for_avx2_but_libmegalith_is_not = 0;
const char this_file_is_compiled_for_avx_but_libmegalith_is_not = 0;
#endif
const char MEGALITH_INSTRUCTION_SET = 0;

}  // namespace megalith::detail
