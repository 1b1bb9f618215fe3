// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "../json/strict.h"
#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"

namespace megalith {
namespace {

using detail::in_quotes;
using nlohmann::json;

constexpr const char* kMetadataKey = "__metadata__";
constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 16 << 20;  // some 100,000 tensors; keeps the JSON of a damaged file small
constexpr std::uint64_t kDataAlignment = 64;
constexpr std::size_t kMaxDimensions = 64;  // NumPy's limit; keeps messages about shapes short

struct Type {
  DType type;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<Type, 13> kTypes = {{{DType::f64, "F64", 8},
                                          {DType::f32, "F32", 4},
                                          {DType::f16, "F16", 2},
                                          {DType::bf16, "BF16", 2},
                                          {DType::i64, "I64", 8},
                                          {DType::i32, "I32", 4},
                                          {DType::i16, "I16", 2},
                                          {DType::i8, "I8", 1},
                                          {DType::u64, "U64", 8},
                                          {DType::u32, "U32", 4},
                                          {DType::u16, "U16", 2},
                                          {DType::u8, "U8", 1},
                                          {DType::boolean, "BOOL", 1}}};

const Type& entry(DType type) {
  return *std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& t) { return t.type == type; });
}

/// Bytes of a tensor, or false where that number does not fit.
bool tensor_bytes(DType type, std::span<const Index> shape, std::uint64_t& bytes) {
  bytes = byte_size(type);
  // A zero anywhere makes the tensor empty, however large the other dimensions are.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) bytes = 0;
  for (const Index d : shape)
    if (bytes > 0 && __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(d), &bytes)) return false;
  return bytes <= static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
}

std::uint64_t natural_number(const json& value, const std::string& what) {
  check(value.is_number_unsigned(), what, " is not a natural number");
  const auto number = value.get<std::uint64_t>();
  check(number <= static_cast<std::uint64_t>(std::numeric_limits<Index>::max()), what, " is too large");
  return number;
}

/// One entry of the header, each of its claims checked alone and against the size of the data.
TensorInfo parse_tensor(const json& value, const std::string& what, std::uint64_t data_size) {
  check(value.is_object() && value.size() == 3 && value.contains("dtype") && value.contains("shape") &&
            value.contains("data_offsets"),
        what, " must have dtype, shape and data_offsets");
  TensorInfo info;
  const json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
  check(dtype.is_string(), what, ": dtype is not a string");
  const auto& name = dtype.get_ref<const std::string&>();
  const auto type = std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& t) { return t.name == name; });
  check(type != kTypes.end(), what, " has the unknown dtype ", in_quotes(name));
  info.dtype = type->type;

  check(shape.is_array(), what, ": shape is not an array");
  check(shape.size() <= kMaxDimensions, what, " has ", shape.size(), " dimensions, and the most allowed is ",
        kMaxDimensions);
  for (const json& d : shape) info.shape.push_back(static_cast<Index>(natural_number(d, what + ": a number of its shape")));
  std::uint64_t bytes = 0;
  check(tensor_bytes(info.dtype, info.shape, bytes), what, " has more elements than fit into memory");

  check(offsets.is_array() && offsets.size() == 2, what, ": data_offsets is not a pair");
  info.begin = natural_number(offsets[0], what + ": its begin");
  info.end = natural_number(offsets[1], what + ": its end");
  check(info.begin <= info.end, what, " ends before it begins");
  check(info.end <= data_size, what, " reaches to byte ", info.end, " of the data, which has only ", data_size,
        ": the file is cut short or damaged");
  check(info.end - info.begin == bytes, what, " has ", info.end - info.begin, " bytes of data, but its shape ",
        shape_text(info.shape), " of ", name, " needs ", bytes);
  return info;
}

/// Names in the order of their data.
std::vector<std::string> sorted_names(const std::map<std::string, TensorInfo>& tensors) {
  std::vector<std::string> names;
  names.reserve(tensors.size());
  for (const auto& [name, info] : tensors) names.push_back(name);
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    const TensorInfo &x = tensors.at(a), &y = tensors.at(b);
    return std::pair(x.begin, x.end) < std::pair(y.begin, y.end);
  });
  return names;
}

}  // namespace

std::size_t byte_size(DType type) { return entry(type).size; }

std::string_view type_name(DType type) { return entry(type).name; }

std::string shape_text(std::span<const Index> shape) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return out + ")";
}

SafetensorsReader::SafetensorsReader(const std::string& path) : file_(path) {
  check(file_.size() >= kLengthBytes, path, " is not a safetensors file: it has only ", file_.size(), " bytes");
  std::array<std::byte, kLengthBytes> length_bytes{};
  file_.read(0, length_bytes);
  const auto length = std::bit_cast<std::uint64_t>(length_bytes);
  check(length <= file_.size() - kLengthBytes, path, " is cut short or not a safetensors file: it claims a header of ",
        length, " bytes and has ", file_.size(), " bytes in all");
  check(length <= kMaxHeaderBytes, path, " claims a header of ", length, " bytes, and the most allowed is ",
        kMaxHeaderBytes);
  std::string header(length, '\0');
  file_.read(kLengthBytes, std::as_writable_bytes(std::span(header)));
  check(header.starts_with('{'), path, " is not a safetensors file: its header does not begin with a brace");
  data_begin_ = kLengthBytes + length;
  const std::uint64_t data_size = file_.size() - data_begin_;

  const json root = detail::parse_strict(header, "the header of " + path, 3);
  for (const auto& [name, value] : root.items()) {
    if (name != kMetadataKey) {
      tensors_.emplace(name, parse_tensor(value, path + ": tensor " + in_quotes(name), data_size));
      continue;
    }
    check(value.is_object(), path, ": ", kMetadataKey, " is not an object");
    for (const auto& [key, entry] : value.items()) {
      check(entry.is_string(), path, ": the metadata ", in_quotes(key), " is not a string");
      metadata_[key] = entry.get<std::string>();
    }
  }

  std::uint64_t reached = 0;
  for (const std::string& name : sorted_names(tensors_)) {
    const TensorInfo& info = tensors_.at(name);
    check(info.begin >= reached, path, ": tensor ", in_quotes(name), " overlaps the one before it");
    check(info.begin == reached, path, ": bytes ", reached, " to ", info.begin, " of the data belong to no tensor");
    reached = info.end;
  }
  check(reached == data_size, path, ": bytes ", reached, " to ", data_size, " of the data belong to no tensor");
}

std::vector<std::string> SafetensorsReader::names() const { return sorted_names(tensors_); }

const TensorInfo& SafetensorsReader::info(const std::string& name) const {
  const auto found = tensors_.find(name);
  check(found != tensors_.end(), path(), " has no tensor ", in_quotes(name));
  return found->second;
}

void SafetensorsReader::read(const std::string& name, DType type, std::span<std::byte> out) const {
  const TensorInfo& tensor = info(name);
  check(tensor.dtype == type, path(), ": tensor ", in_quotes(name), " is of type ", type_name(tensor.dtype), ", not ",
        type_name(type));
  check(tensor.end - tensor.begin == out.size(), path(), ": tensor ", in_quotes(name), " has the shape ",
        shape_text(tensor.shape), ", which is not ", out.size() / byte_size(type), " elements");
  file_.read(data_begin_ + tensor.begin, out);
}

void SafetensorsWriter::add(const std::string& name, DType type, std::vector<Index> shape, const void* data) {
  check(name != kMetadataKey, "a tensor cannot be named ", kMetadataKey);
  for (const Entry& e : entries_) check(e.name != name, "two tensors are named ", in_quotes(name));
  std::uint64_t bytes = 0;
  const bool sound = std::all_of(shape.begin(), shape.end(), [](Index d) { return d >= 0; });
  check(sound && tensor_bytes(type, shape, bytes), "tensor ", in_quotes(name), " has the impossible shape ",
        shape_text(shape));
  entries_.push_back({name, type, std::move(shape), static_cast<const std::byte*>(data), bytes});
}

void SafetensorsWriter::write(const std::string& path) const {
  std::vector<const Entry*> order;
  for (const Entry& e : entries_) order.push_back(&e);
  std::stable_sort(order.begin(), order.end(),
                   [](const Entry* a, const Entry* b) { return byte_size(a->type) > byte_size(b->type); });

  nlohmann::ordered_json root = nlohmann::ordered_json::object();
  if (!metadata_.empty()) root[kMetadataKey] = metadata_;
  std::uint64_t end = 0;
  for (const Entry* e : order) {
    const std::uint64_t begin = std::exchange(end, end + e->size);
    root[e->name] = {{"dtype", type_name(e->type)}, {"shape", e->shape}, {"data_offsets", {begin, end}}};
  }
  // Metadata may hold paths, which need not be UTF-8.
  std::string header = root.dump(-1, ' ', false, json::error_handler_t::replace);
  const std::uint64_t used = kLengthBytes + header.size();
  header.append((used + kDataAlignment - 1) / kDataAlignment * kDataAlignment - used, ' ');
  check(header.size() <= kMaxHeaderBytes, "cannot write ", path, ": its header would have ", header.size(),
        " bytes, and the most allowed is ", kMaxHeaderBytes);

  AtomicFile file(path);
  const auto length = std::bit_cast<std::array<std::byte, kLengthBytes>>(static_cast<std::uint64_t>(header.size()));
  file.write(length);
  file.write(header);
  for (const Entry* e : order) file.write(std::span(e->data, e->size));
  file.commit();
}

}  // namespace megalith
