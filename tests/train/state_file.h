// SPDX-License-Identifier: Apache-2.0
// The content of a state.safetensors, for tests that edit one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "megalith/io/safetensors.h"
#include "support/temporary_folder.h"

namespace megalith::tests {

/// Read by the constructor, edited by set(), written by write().
struct StateFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, TensorInfo> infos;
  std::map<std::string, std::string> data;

  explicit StateFile(const std::string& path) {
    const SafetensorsReader reader(path);
    metadata = reader.metadata();
    infos = reader.tensors();
    const std::string file = read_file(path);
    std::uint64_t header = 0;
    std::copy_n(file.data(), 8, reinterpret_cast<char*>(&header));
    for (const auto& [name, info] : infos) data[name] = file.substr(8 + header + info.begin, info.end - info.begin);
  }
  template <class T>
  void set(const std::string& name, T value, std::size_t index = 0) {
    ASSERT_TRUE(data.contains(name)) << name;
    data.at(name).replace(index * sizeof value, sizeof value, reinterpret_cast<const char*>(&value), sizeof value);
  }
  void write(const std::string& path) const {
    SafetensorsWriter writer;
    for (const auto& [key, value] : metadata) writer.metadata(key, value);
    for (const auto& [name, bytes] : data) writer.add(name, infos.at(name).dtype, infos.at(name).shape, bytes.data());
    writer.write(path);
  }
};

}  // namespace megalith::tests
