// SPDX-License-Identifier: Apache-2.0
// Mutates safetensors files. The eight bytes in front say how long the header is, and nearly every change of the header
// would make them wrong: nothing behind that check would be reached. So they are made right again.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  std::uint64_t length = 0;
  constexpr std::size_t kLengthBytes = sizeof length;
  const bool anywhere = seed % 16 == 0;  // the length itself may be wrong too
  if (anywhere || size < kLengthBytes || max_size <= kLengthBytes) return LLVMFuzzerMutate(data, size, max_size);

  std::memcpy(&length, data, kLengthBytes);
  length = std::min<std::uint64_t>(length, size - kLengthBytes);
  std::vector<std::uint8_t> header(data + kLengthBytes, data + kLengthBytes + length);
  std::vector<std::uint8_t> numbers(data + kLengthBytes + length, data + size);
  std::vector<std::uint8_t>& part = seed % 16 == 1 ? numbers : header;
  const std::size_t before = part.size();
  part.resize(before + max_size - size);
  part.resize(LLVMFuzzerMutate(part.data(), before, part.size()));

  length = header.size();
  std::memcpy(data, &length, kLengthBytes);
  std::copy(header.begin(), header.end(), data + kLengthBytes);
  std::copy(numbers.begin(), numbers.end(), data + kLengthBytes + header.size());
  return kLengthBytes + header.size() + numbers.size();
}
