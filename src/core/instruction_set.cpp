// SPDX-License-Identifier: Apache-2.0
// What a file may be compiled for that is linked with this library.
#include "megalith/core/instruction_set.h"

namespace megalith::detail {

#ifdef MEGALITH_FOR_ANY_MACHINE
const char this_file_is_compiled_for_avx512f_but_libmegalith_is_not = 0;
const char this_file_is_compiled_for_avx2_but_libmegalith_is_not = 0;
const char this_file_is_compiled_for_avx_but_libmegalith_is_not = 0;
#endif
const char MEGALITH_INSTRUCTION_SET = 0;

}  // namespace megalith::detail
