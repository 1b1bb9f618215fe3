// SPDX-License-Identifier: Apache-2.0
// A link error in place of a crash. Files of one program that are compiled for different instruction sets share Eigen's
// inline templates, and the linker keeps one copy of each: the files then disagree about alignment, and the program crashes.
// So each file that includes Eigen through Megalith refers to a symbol named after the instruction set that the file is
// compiled for. A library compiled for this machine (MEGALITH_NATIVE) defines only the symbol of its own instruction set,
// and for any other the linker reports an undefined symbol. A library compiled for any machine defines all of them.
#pragma once

#if defined(__AVX512F__)
#define MEGALITH_INSTRUCTION_SET this_file_is_compiled_for_avx512f_but_libmegalith_is_not
#elif defined(__AVX2__)
#define MEGALITH_INSTRUCTION_SET this_file_is_compiled_for_avx2_but_libmegalith_is_not
#elif defined(__AVX__)
#define MEGALITH_INSTRUCTION_SET this_file_is_compiled_for_avx_but_libmegalith_is_not
#else
#define MEGALITH_INSTRUCTION_SET this_file_is_compiled_without_avx_but_libmegalith_is_not
#define MEGALITH_FOR_ANY_MACHINE
#endif

namespace megalith::detail {

extern const char this_file_is_compiled_for_avx512f_but_libmegalith_is_not;
extern const char this_file_is_compiled_for_avx2_but_libmegalith_is_not;
extern const char this_file_is_compiled_for_avx_but_libmegalith_is_not;
extern const char this_file_is_compiled_without_avx_but_libmegalith_is_not;

[[gnu::used]] static const char* const compiled_as_libmegalith = &MEGALITH_INSTRUCTION_SET;

}  // namespace megalith::detail
