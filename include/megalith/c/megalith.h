/* SPDX-License-Identifier: Apache-2.0
 * Megalith from C, and from what calls C: load a model, score bytes, ask what comes next, generate.
 *
 * Functions that can fail return a megalith_status; megalith_last_error() says what was wrong. No exception leaves a
 * function. Handles may be freed in any order: what still needs a model keeps it. A handle serves one thread at a time;
 * several handles, of one model too, may be used by several threads at once. */
#ifndef MEGALITH_C_MEGALITH_H
#define MEGALITH_C_MEGALITH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum megalith_status {
  MEGALITH_OK = 0,
  MEGALITH_BAD_INPUT = 1, /* a file or an argument; the text names it */
  MEGALITH_NO_MEMORY = 2,
  MEGALITH_FAILED = 3 /* anything else */
};

typedef struct megalith_model megalith_model;
typedef struct megalith_scorer megalith_scorer;
typedef struct megalith_generator megalith_generator;

/* How bytes are drawn; see SamplingConfig in megalith/generate/sampler.h. */
typedef struct megalith_sampling {
  double temperature;        /* 0 takes the likeliest byte */
  int32_t top_k;             /* 0: all */
  double top_p;              /* 1: all */
  double min_p;              /* 0: all */
  double repetition_penalty; /* 1: none */
  int32_t repetition_window;
  uint64_t seed;
} megalith_sampling;

/* Such as "0.1.0". */
const char* megalith_version(void);
/* The sentence about this thread's last call that failed; "" before one did. Valid until the thread's next call that fails.
 */
const char* megalith_last_error(void);

/* Loads a run directory or a checkpoint file. */
int megalith_load(const char* path, megalith_model** model);
/* These take NULL as well. */
void megalith_free_model(megalith_model* model);
void megalith_free_scorer(megalith_scorer* scorer);
void megalith_free_generator(megalith_generator* generator);

/* A scorer at the start of a stream of bytes. threads: 0 is the number in OMP_NUM_THREADS, else one for each physical core.
 * stride: bytes from the start of a window to that of the next, 0 for half of the model's length,
 * or for no window of a model that reads sequences of any length. */
int megalith_new_scorer(const megalith_model* model, int32_t threads, int64_t stride, megalith_scorer** scorer);
/* Writes the surprisal, in bits, of each of the next `count` bytes of the stream: whole records, of a model that reads them
 * in an order of its own. */
int megalith_score(megalith_scorer* scorer, const uint8_t* bytes, size_t count, float* bits);
/* Starts another stream. */
int megalith_reset_scorer(megalith_scorer* scorer);

/* A generator that has seen nothing. Fails for a model that reads records in an order of its own, whose bytes do not come one
 * after the other; `megalith generate` writes them. sampling: NULL for megalith_default_sampling(). */
int megalith_new_generator(const megalith_model* model, int32_t threads, const megalith_sampling* sampling,
                           megalith_generator** generator);
void megalith_default_sampling(megalith_sampling* sampling);
/* Adds bytes that the next ones continue. */
int megalith_prompt(megalith_generator* generator, const uint8_t* bytes, size_t count);
/* Writes the probability of each of the 256 byte values to come next, as the model gives it, whatever the sampling. */
int megalith_next(megalith_generator* generator, double probabilities[256]);
/* Draws the next `count` bytes. */
int megalith_generate(megalith_generator* generator, uint8_t* bytes, size_t count);

#ifdef __cplusplus
}
#endif

#endif
