// SPDX-License-Identifier: Apache-2.0
// The input is a safetensors file: any, a model's, or the state of a run.
#include "megalith/io/checkpoint.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
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

/// As everything that is loaded; each way parses the file again, so only those that may succeed.
void load(const std::string& path) {
  static TinyRun run;
  if (!accepts([&] { read_all(SafetensorsReader(path)); })) return;
  if (accepts([&] { (void)load_model(path); })) accepts([&] { load_parameters(path, *run.model); });
  else accepts([&] { detail::load_state(path, run.settings, run.tensors()); });
}

}  // namespace
}  // namespace megalith::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const megalith::fuzz::MemoryFile file;
  file.write(data, size);
  megalith::fuzz::load(file.path());
  return 0;
}
