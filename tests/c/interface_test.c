/* SPDX-License-Identifier: Apache-2.0
 * interface_test CHECKPOINT: exits with 0 where the C interface does what its header says. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "megalith/c/megalith.h"

#define EXPECT(condition)                                                                                    \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      fprintf(stderr, "%s:%d: %s; last error: %s\n", __FILE__, __LINE__, #condition, megalith_last_error()); \
      return 1;                                                                                              \
    }                                                                                                        \
  } while (0)
#define EXPECT_ERROR(call, words)                         \
  do {                                                    \
    EXPECT((call) == MEGALITH_BAD_INPUT);                 \
    EXPECT(strstr(megalith_last_error(), words) != NULL); \
  } while (0)

static const uint8_t kText[] = "A text that is longer than the windows of the model, so that these have to slide along it.";

/* A surprisal is that of the probability with which the byte was announced. */
static int scores_are_what_was_announced(const megalith_model* model) {
  const size_t n = sizeof kText - 1;
  megalith_scorer* scorer = NULL;
  megalith_generator* generator = NULL;
  float bits[sizeof kText], again[sizeof kText];
  double next[256], sum;
  size_t i, v;
  EXPECT(megalith_new_scorer(model, 1, 0, &scorer) == MEGALITH_OK);
  EXPECT(megalith_new_generator(model, 1, NULL, &generator) == MEGALITH_OK);
  EXPECT(megalith_score(scorer, kText, n, bits) == MEGALITH_OK);
  for (i = 0; i < n; ++i) {
    EXPECT(megalith_next(generator, next) == MEGALITH_OK);
    for (sum = 0, v = 0; v < 256; ++v) sum += next[v];
    EXPECT(fabs(sum - 1) < 1e-9);
    EXPECT(fabs(bits[i] + log(next[kText[i]]) / log(2.0)) < 1e-3);
    EXPECT(megalith_prompt(generator, kText + i, 1) == MEGALITH_OK);
  }
  EXPECT(megalith_reset_scorer(scorer) == MEGALITH_OK);
  EXPECT(megalith_score(scorer, kText, n, again) == MEGALITH_OK);
  EXPECT(memcmp(bits, again, n * sizeof bits[0]) == 0);
  EXPECT(megalith_score(scorer, NULL, 0, NULL) == MEGALITH_OK);
  megalith_free_scorer(scorer);
  megalith_free_generator(generator);
  return 0;
}

static int sampling_counts(const megalith_model* model) {
  megalith_sampling sampling;
  megalith_generator *one = NULL, *two = NULL, *greedy = NULL;
  uint8_t a[40], b[40], c[40];
  double next[256];
  int v, best = 0;
  megalith_default_sampling(&sampling);
  EXPECT(sampling.temperature == 1 && sampling.top_p == 1 && sampling.seed == 1);
  EXPECT(megalith_new_generator(model, 1, NULL, &one) == MEGALITH_OK);
  EXPECT(megalith_new_generator(model, 2, &sampling, &two) == MEGALITH_OK);
  EXPECT(megalith_generate(one, a, sizeof a) == MEGALITH_OK);
  EXPECT(megalith_generate(two, b, sizeof b) == MEGALITH_OK);
  EXPECT(memcmp(a, b, sizeof a) == 0);
  sampling.temperature = 0;
  EXPECT(megalith_new_generator(model, 1, &sampling, &greedy) == MEGALITH_OK);
  EXPECT(megalith_next(greedy, next) == MEGALITH_OK);
  for (v = 0; v < 256; ++v)
    if (next[v] > next[best]) best = v;
  EXPECT(megalith_generate(greedy, c, 1) == MEGALITH_OK);
  EXPECT(c[0] == best);
  megalith_free_generator(one);
  megalith_free_generator(two);
  megalith_free_generator(greedy);
  sampling.temperature = -1;
  EXPECT_ERROR(megalith_new_generator(model, 1, &sampling, &one), "temperature");
  EXPECT(one == NULL);
  return 0;
}

static int bad_input_is_named(const megalith_model* model) {
  megalith_model* none = NULL;
  megalith_scorer* scorer = NULL;
  EXPECT_ERROR(megalith_load("/no/such/model", &none), "/no/such/model");
  EXPECT(none == NULL);
  EXPECT_ERROR(megalith_load(NULL, &none), "path is NULL");
  EXPECT_ERROR(megalith_load("x", NULL), "model is NULL");
  EXPECT_ERROR(megalith_new_scorer(NULL, 1, 0, &scorer), "model is NULL");
  EXPECT_ERROR(megalith_new_scorer(model, -1, 0, &scorer), "threads is -1");
  EXPECT_ERROR(megalith_new_scorer(model, 1, -3, &scorer), "stride is -3");
  EXPECT(scorer == NULL);
  EXPECT(megalith_new_scorer(model, 1, 0, &scorer) == MEGALITH_OK);
  EXPECT_ERROR(megalith_score(scorer, NULL, 1, (float*)&none), "bytes is NULL");
  EXPECT_ERROR(megalith_score(scorer, kText, 1, NULL), "bits is NULL");
  EXPECT_ERROR(megalith_score(NULL, kText, 1, NULL), "scorer is NULL");
  EXPECT_ERROR(megalith_generate(NULL, NULL, 1), "generator is NULL");
  EXPECT_ERROR(megalith_next(NULL, NULL), "generator is NULL");
  megalith_free_scorer(scorer);
  return 0;
}

int main(int argc, char** argv) {
  megalith_model* model = NULL;
  megalith_scorer* scorer = NULL;
  float bits;
  EXPECT(argc == 2);
  EXPECT(strlen(megalith_version()) > 0 && strcmp(megalith_last_error(), "") == 0);
  EXPECT(megalith_load(argv[1], &model) == MEGALITH_OK);
  if (scores_are_what_was_announced(model) || sampling_counts(model) || bad_input_is_named(model)) return 1;
  EXPECT(megalith_new_scorer(model, 0, 0, &scorer) == MEGALITH_OK);
  megalith_free_model(model); /* the scorer keeps it */
  EXPECT(megalith_score(scorer, kText, 1, &bits) == MEGALITH_OK && bits > 0);
  megalith_free_scorer(scorer);
  megalith_free_model(NULL);
  megalith_free_scorer(NULL);
  megalith_free_generator(NULL);
  return 0;
}
