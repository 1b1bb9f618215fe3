// SPDX-License-Identifier: Apache-2.0
#include "megalith/c/megalith.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <string>

#include "megalith/core/check.h"
#include "megalith/core/version.h"
#include "megalith/generate/generator.h"
#include "megalith/io/checkpoint.h"
#include "megalith/score/scorer.h"

using megalith::check;

struct megalith_model {
  std::shared_ptr<const megalith::AnyModel> model;
};
struct megalith_scorer {
  std::shared_ptr<const megalith::AnyModel> model;
  megalith::Scorer scorer;
};
struct megalith_generator {
  std::shared_ptr<const megalith::AnyModel> model;
  megalith::Generator generator;
};

namespace {

std::string& last_error() {
  thread_local std::string text;
  return text;
}

/// Keeps what was wrong. Where there is no memory for the sentence either, the one before stays.
int failed(int status, const char* what) {
  try {
    last_error() = what;
  } catch (...) {
  }
  return status;
}

/// The status of f(), which throws where it fails.
template <class F>
int status_of(F&& f) {
  try {
    f();
    return MEGALITH_OK;
  } catch (const megalith::Error& error) {
    return failed(MEGALITH_BAD_INPUT, error.what());
  } catch (const std::bad_alloc&) {
    return failed(MEGALITH_NO_MEMORY, "there is not enough memory for this");
  } catch (const std::exception& error) {
    return failed(MEGALITH_FAILED, error.what());
  } catch (...) {
    return failed(MEGALITH_FAILED, "something was thrown that is no exception");
  }
}

void check_given(const void* pointer, const char* what) { check(pointer != nullptr, what, " is NULL; give one"); }

std::span<const std::uint8_t> bytes_of(const std::uint8_t* bytes, std::size_t count) {
  if (count > 0) check_given(bytes, "bytes");
  return {bytes, count};
}

int threads_of(std::int32_t threads) {
  check(threads >= 0, "threads is ", threads, ", and must be 0 or more");
  return threads == 0 ? megalith::default_threads() : threads;
}

}  // namespace

extern "C" {

const char* megalith_version(void) { return megalith::kLibraryVersion; }
const char* megalith_last_error(void) { return last_error().c_str(); }

int megalith_load(const char* path, megalith_model** model) {
  return status_of([&] {
    check_given(path, "path");
    check_given(model, "model");
    *model = nullptr;
    *model = new megalith_model{megalith::load_model(path)};
  });
}

void megalith_free_model(megalith_model* model) { delete model; }
void megalith_free_scorer(megalith_scorer* scorer) { delete scorer; }
void megalith_free_generator(megalith_generator* generator) { delete generator; }

int megalith_new_scorer(const megalith_model* model, std::int32_t threads, std::int64_t stride, megalith_scorer** scorer) {
  return status_of([&] {
    check_given(model, "model");
    check_given(scorer, "scorer");
    *scorer = nullptr;
    *scorer = new megalith_scorer{model->model, megalith::Scorer(*model->model, {stride, threads_of(threads)})};
  });
}

int megalith_score(megalith_scorer* scorer, const std::uint8_t* bytes, std::size_t count, float* bits) {
  return status_of([&] {
    check_given(scorer, "scorer");
    if (count > 0) check_given(bits, "bits");
    const std::span<const float> found = scorer->scorer.feed(bytes_of(bytes, count));
    std::copy(found.begin(), found.end(), bits);
  });
}

int megalith_reset_scorer(megalith_scorer* scorer) {
  return status_of([&] {
    check_given(scorer, "scorer");
    scorer->scorer.reset();
  });
}

void megalith_default_sampling(megalith_sampling* sampling) {
  const megalith::SamplingConfig c;
  if (sampling == nullptr) return;
  *sampling = {c.temperature, c.top_k, c.top_p, c.min_p, c.repetition_penalty, c.repetition_window, c.seed};
}

int megalith_new_generator(const megalith_model* model, std::int32_t threads, const megalith_sampling* sampling,
                           megalith_generator** generator) {
  return status_of([&] {
    check_given(model, "model");
    check_given(generator, "generator");
    *generator = nullptr;
    const megalith::RecordConfig record = model->model->record();
    check(record.scan.kind == megalith::ScanKind::none, "the model writes ", in_words(record),
          ", which this interface has not; use the command megalith generate");
    megalith::SamplingConfig config;
    if (sampling != nullptr) {
      config.temperature = sampling->temperature;
      config.top_k = sampling->top_k;
      config.top_p = sampling->top_p;
      config.min_p = sampling->min_p;
      config.repetition_penalty = sampling->repetition_penalty;
      config.repetition_window = sampling->repetition_window;
      config.seed = sampling->seed;
    }
    *generator = new megalith_generator{model->model, megalith::Generator(*model->model, config, threads_of(threads))};
  });
}

int megalith_prompt(megalith_generator* generator, const std::uint8_t* bytes, std::size_t count) {
  return status_of([&] {
    check_given(generator, "generator");
    generator->generator.prompt(bytes_of(bytes, count));
  });
}

int megalith_next(megalith_generator* generator, double probabilities[256]) {
  return status_of([&] {
    check_given(generator, "generator");
    check_given(probabilities, "probabilities");
    for (const megalith::NextByte& next : generator->generator.likeliest(megalith::kByteValues))
      probabilities[next.byte] = next.probability;
  });
}

int megalith_generate(megalith_generator* generator, std::uint8_t* bytes, std::size_t count) {
  return status_of([&] {
    check_given(generator, "generator");
    if (count > 0) check_given(bytes, "bytes");
    for (std::size_t i = 0; i < count; ++i) bytes[i] = generator->generator.next();
  });
}

}  // extern "C"
