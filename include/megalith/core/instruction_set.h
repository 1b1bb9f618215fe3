// SPDX-License-Identifier: Apache-2.0
// Files of one program that were compiled for different instruction sets share Eigen's inline templates, of which the linker
// keeps either one: they then disagree about alignment, and crash. So each file that sees Eigen through Megalith refers to a
// symbol that says what the file was compiled for. A library compiled for this machine (MEGALITH_NATIVE) defines the symbol
// of its own instruction set alone, and the linker names the one it misses. A library compiled for any machine defines all.
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
