/* SPDX-License-Identifier: Apache-2.0
 * Bits of each line of standard input, what may come next, and how the model goes on: score RUN_DIR < TEXT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "megalith/c/megalith.h"

static void need(int status) {
  if (status == MEGALITH_OK) return;
  fprintf(stderr, "score: %s\n", megalith_last_error());
  exit(1);
}

int main(int argc, char** argv) {
  megalith_model* model;
  megalith_scorer* scorer;
  megalith_generator* generator;
  static char line[4096], text[81];
  static float bits[4096];
  double next[256], sum;
  need(megalith_load(argc > 1 ? argv[1] : "runs/books", &model));
  need(megalith_new_scorer(model, 0, 0, &scorer));
  need(megalith_new_generator(model, 0, NULL, &generator));
  while (fgets(line, sizeof line, stdin)) {
    size_t i, n = strlen(line);
    need(megalith_score(scorer, (const uint8_t*)line, n, bits));
    need(megalith_prompt(generator, (const uint8_t*)line, n));
    for (sum = 0, i = 0; i < n; ++i) sum += bits[i];
    printf("%8.2f bits  %s", sum, line);
  }
  need(megalith_next(generator, next));
  printf("an empty line comes next with probability %.3f\n", next['\n']);
  need(megalith_generate(generator, (uint8_t*)text, 80));
  printf("it goes on: %s\n", text);
  megalith_free_generator(generator), megalith_free_scorer(scorer), megalith_free_model(model);
  return 0;
}
