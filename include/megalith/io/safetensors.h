// SPDX-License-Identifier: Apache-2.0
// Named tensors in a file: the safetensors format, which Python, Rust and others read. Eight bytes of header length, a JSON
// header, the numbers, all little-endian. See README.md beside this file.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "megalith/core/shape.h"
#include "megalith/io/input_file.h"

namespace megalith {

static_assert(std::endian::native == std::endian::little, "safetensors files are read and written as they lie in memory");

/// The kinds of numbers that a file may hold. f16, bf16 and boolean are known, so that foreign files can be looked into.
enum class DType { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean };

/// Bytes of one number.
std::size_t byte_size(DType type);
/// The name in files, such as "F32".
std::string_view type_name(DType type);

/// One tensor of a file. begin and end count from the first byte after the header.
struct TensorInfo {
  DType dtype = DType::f32;
  std::vector<Index> shape;
  std::uint64_t begin = 0, end = 0;
};

/// "(256, 64)", for messages.
std::string shape_text(std::span<const Index> shape);

/// Reads a file whose header is checked whole by the constructor: lengths against the file's size, JSON, types, shapes
/// against ranges, no two ranges overlapping and no byte left over. Const calls may run at once.
class SafetensorsReader {
 public:
  /// Throws Error where the file cannot be read or is not a valid safetensors file.
  explicit SafetensorsReader(const std::string& path);

  const std::string& path() const { return file_.path(); }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// All tensors by name.
  const std::map<std::string, TensorInfo>& tensors() const { return tensors_; }
  /// Names in the order of the data.
  std::vector<std::string> names() const;
  bool contains(const std::string& name) const { return tensors_.contains(name); }
  /// Throws Error where there is no such tensor.
  const TensorInfo& info(const std::string& name) const;

  /// Copies a tensor. Throws Error unless it is there with exactly this type and number of elements.
  void read(const std::string& name, std::span<float> out) const { read(name, DType::f32, std::as_writable_bytes(out)); }
  void read(const std::string& name, std::span<double> out) const { read(name, DType::f64, std::as_writable_bytes(out)); }
  void read(const std::string& name, std::span<std::uint8_t> out) const {
    read(name, DType::u8, std::as_writable_bytes(out));
  }
  void read(const std::string& name, std::span<std::int64_t> out) const {
    read(name, DType::i64, std::as_writable_bytes(out));
  }
  void read(const std::string& name, std::span<std::uint64_t> out) const {
    read(name, DType::u64, std::as_writable_bytes(out));
  }

 private:
  void read(const std::string& name, DType type, std::span<std::byte> out) const;

  InputFile file_;
  std::uint64_t data_begin_ = 0;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, TensorInfo> tensors_;
};

/// Collects tensors and writes them at once. The data begins at a multiple of 64 bytes, wider types come first so that
/// every tensor is aligned, and otherwise the order is that of the calls.
class SafetensorsWriter {
 public:
  /// `data` is read by write() and must live until then. Throws Error for a name used twice.
  void add(const std::string& name, DType type, std::vector<Index> shape, const void* data);
  void metadata(const std::string& key, const std::string& value) { metadata_[key] = value; }
  /// Replaces the file at `path`, whole or not at all. Throws Error where that is not possible.
  void write(const std::string& path) const;

 private:
  struct Entry {
    std::string name;
    DType type;
    std::vector<Index> shape;
    const std::byte* data;
    std::size_t size;  // bytes
  };
  std::vector<Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace megalith
