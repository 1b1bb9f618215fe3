# SPDX-License-Identifier: Apache-2.0
"""Bits of each line of standard input, what may come next, and how the model goes on, by the C interface:
python3 score.py libmegalith.so RUN_DIR < TEXT. The library is a shared one (cmake -DBUILD_SHARED_LIBS=ON)."""
import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
library.megalith_last_error.restype = ctypes.c_char_p


def need(status):
    if status != 0:
        sys.exit("score.py: " + library.megalith_last_error().decode())


model, scorer, generator = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
need(library.megalith_load(sys.argv[2].encode(), ctypes.byref(model)))
need(library.megalith_new_scorer(model, 0, ctypes.c_int64(0), ctypes.byref(scorer)))
need(library.megalith_new_generator(model, 0, None, ctypes.byref(generator)))
for line in sys.stdin.buffer:
    bits = (ctypes.c_float * len(line))()
    need(library.megalith_score(scorer, line, ctypes.c_size_t(len(line)), bits))
    need(library.megalith_prompt(generator, line, ctypes.c_size_t(len(line))))
    print(f"{sum(bits):8.2f} bits  {line.decode(errors='replace')}", end="")
following, text = (ctypes.c_double * 256)(), ctypes.create_string_buffer(80)
need(library.megalith_next(generator, following))
print(f"an empty line comes next with probability {following[ord(chr(10))]:.3f}")
need(library.megalith_generate(generator, text, ctypes.c_size_t(80)))
print("it goes on:", text.raw.decode(errors="replace"))
library.megalith_free_generator(generator)
library.megalith_free_scorer(scorer)
library.megalith_free_model(model)
