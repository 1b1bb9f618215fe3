// SPDX-License-Identifier: Apache-2.0
// The input is a safetensors file: any, a model's, or the state of a run.
#include "megalith/io/checkpoint.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "megalith/io/safetensors.h"
#include "outcome.h"
#include "tiny_run.h"

namespace megalith::fuzz {
namespace {

/// A file in memory that holds the bytes last written, and its path.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("input", 0)), path_("/proc/self/fd/" + std::to_string(descriptor_)) {}
  const std::string& path() const { return path_; }
  void write(const std::uint8_t* data, std::size_t size) const {
    const bool written =
        ::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, data, size, 0) == static_cast<ssize_t>(size);
    require(written, "the input can be written to a file in memory");
  }

 private:
  int descriptor_;
  std::string path_;
};

template <class T>
void read_as(const SafetensorsReader& file, const std::string& name, std::size_t bytes) {
  std::vector<T> numbers(bytes / sizeof(T));
  file.read(name, std::span(numbers));
}

/// Reads each tensor as what it is.
void read_all(const SafetensorsReader& file) {
  for (const std::string& name : file.names()) {
    const TensorInfo& info = file.info(name);
    const std::size_t bytes = info.end - info.begin;
    if (info.dtype == DType::f32) read_as<float>(file, name, bytes);
    if (info.dtype == DType::f64) read_as<double>(file, name, bytes);
    if (info.dtype == DType::u8) read_as<std::uint8_t>(file, name, bytes);
    if (info.dtype == DType::i64) read_as<std::int64_t>(file, name, bytes);
    if (info.dtype == DType::u64) read_as<std::uint64_t>(file, name, bytes);
  }
}

/// The bytes of all parameters.
std::string numbers_of(AnyModel& model) {
  std::string all;
  for (const Parameter& p : model.parameters())
    all.append(reinterpret_cast<const char*>(p.tensor->data()), static_cast<std::size_t>(p.tensor->size()) * sizeof(float));
  return all;
}

/// A path for files that are written, in memory where that has a folder: writing waits for the disk.
std::string scratch_path() {
  const auto folder =
      std::filesystem::exists("/dev/shm") ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
  return (folder / ("megalith-fuzz-" + std::to_string(::getpid()))).string();
}

/// What was loaded comes back when it is saved.
void save_and_load(AnyModel& model) {
  const std::string path = scratch_path();
  save_model(path, model);
  const auto again = load_model(path);
  require(again->config() == model.config() && numbers_of(*again) == numbers_of(model), "a saved model comes back");
  std::filesystem::remove(path);
}

void save_and_load(const detail::Counters& counters, TinyRun& run) {
  const std::string path = scratch_path();
  detail::save_state(path, run.settings, counters, run.tensors());
  const detail::Counters again = detail::load_state(path, run.settings, run.size, run.tensors());
  require(again.step == counters.step && again.best.step == counters.best.step, "a saved state comes back");
  std::filesystem::remove(path);
}

/// As everything that is loaded; each way parses the file again, so only those that may succeed.
void load(const std::string& path) {
  static TinyRun run;
  if (!accepts([&] { read_all(SafetensorsReader(path)); })) return;
  std::unique_ptr<AnyModel> model;
  detail::Counters counters;
  if (accepts([&] { model = load_model(path); })) {
    save_and_load(*model);
    accepts([&] { load_parameters(path, *run.model); });
  } else if (accepts([&] { counters = detail::load_state(path, run.settings, run.size, run.tensors()); })) {
    save_and_load(counters, run);
  }
}

}  // namespace
}  // namespace megalith::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const megalith::fuzz::MemoryFile file;
  file.write(data, size);
  megalith::fuzz::load(file.path());
  return 0;
}
