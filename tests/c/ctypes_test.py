# SPDX-License-Identifier: Apache-2.0
"""ctypes_test.py LIBRARY CHECKPOINT: the C interface as Python sees it."""
import ctypes
import math
import sys

library = ctypes.CDLL(sys.argv[1])
library.megalith_last_error.restype = library.megalith_version.restype = ctypes.c_char_p
size_t = ctypes.c_size_t


def need(status):
    assert status == 0, library.megalith_last_error().decode()


assert library.megalith_version()
model, scorer, generator = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
assert library.megalith_load(b"/no/such/model", ctypes.byref(model)) == 1
assert b"/no/such/model" in library.megalith_last_error()
need(library.megalith_load(sys.argv[2].encode(), ctypes.byref(model)))
need(library.megalith_new_scorer(model, 1, ctypes.c_int64(0), ctypes.byref(scorer)))
need(library.megalith_new_generator(model, 1, None, ctypes.byref(generator)))
library.megalith_free_model(model)

text = b"A text that is longer than the windows of the model, so that these have to slide along it."
bits, following = (ctypes.c_float * len(text))(), (ctypes.c_double * 256)()
need(library.megalith_score(scorer, text, size_t(len(text)), bits))
for i, byte in enumerate(text):
    need(library.megalith_next(generator, following))
    assert math.isclose(bits[i], -math.log2(following[byte]), abs_tol=1e-3), i
    need(library.megalith_prompt(generator, text[i : i + 1], size_t(1)))
more = ctypes.create_string_buffer(50)
need(library.megalith_generate(generator, more, size_t(50)))
assert library.megalith_score(None, text, size_t(1), bits) == 1
assert b"scorer is NULL" in library.megalith_last_error()
library.megalith_free_scorer(scorer)
library.megalith_free_generator(generator)
