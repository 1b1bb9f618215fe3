// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

/// The bytes of a file with this header and `data_size` bytes of data: 0, 1, 2, ...
std::string file_of(const std::string& header, std::size_t data_size) {
  std::string bytes(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  bytes += header;
  for (std::size_t i = 0; i < data_size; ++i) bytes += static_cast<char>(i);
  return bytes;
}

/// What is wrong with a file of these bytes.
std::string problem(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.write("x.safetensors", bytes);
  return error_of([&] { SafetensorsReader reader(path); });
}

TEST(Safetensors, RoundTripOfAllReadableTypes) {
  const TemporaryFolder folder;
  std::vector<float> f(6);
  std::vector<double> d{1.5, -0.0, 1e300};
  std::vector<std::uint8_t> u{7, 8, 9};
  std::vector<std::int64_t> i{-1, std::int64_t{1} << 62};
  std::vector<std::uint64_t> w{~std::uint64_t{0}};
  std::iota(f.begin(), f.end(), -2.5f);
  SafetensorsWriter writer;
  writer.add("bytes", DType::u8, {3}, u.data());
  writer.add("f", DType::f32, {2, 3}, f.data());
  writer.add("d", DType::f64, {3, 1}, d.data());
  writer.add("i", DType::i64, {2}, i.data());
  writer.add("w", DType::u64, {}, w.data());
  writer.add("empty", DType::f32, {0, 5}, nullptr);
  writer.metadata("a key", "a \"value\"\n");
  writer.write(folder / "x");

  const SafetensorsReader reader(folder / "x");
  EXPECT_EQ(reader.metadata(), (std::map<std::string, std::string>{{"a key", "a \"value\"\n"}}));
  EXPECT_EQ(reader.tensors().size(), 6u);
  EXPECT_EQ(reader.names().front(), "d") << "wide types come first, so that all are aligned";
  EXPECT_EQ(reader.names().back(), "bytes");
  EXPECT_EQ(reader.info("f").shape, (std::vector<Index>{2, 3}));
  EXPECT_EQ(reader.info("w").shape, std::vector<Index>{});
  EXPECT_TRUE(reader.contains("empty"));
  EXPECT_FALSE(reader.contains("full"));

  std::vector<float> f2(6), none;
  std::vector<double> d2(3);
  std::vector<std::uint8_t> u2(3);
  std::vector<std::int64_t> i2(2);
  std::vector<std::uint64_t> w2(1);
  reader.read("f", f2);
  reader.read("d", d2);
  reader.read("bytes", u2);
  reader.read("i", i2);
  reader.read("w", w2);
  reader.read("empty", none);
  EXPECT_EQ(f, f2);
  EXPECT_EQ(d, d2);
  EXPECT_TRUE(std::signbit(d2[1]));
  EXPECT_EQ(u, u2);
  EXPECT_EQ(i, i2);
  EXPECT_EQ(w, w2);

  EXPECT_ERROR(reader.read("g", f2), "has no tensor \"g\"");
  EXPECT_ERROR(reader.read("d", f2), "tensor \"d\" is of type F64, not F32");
  EXPECT_ERROR(reader.read("f", none), "has the shape (2, 3), which is not 0 elements");
}

TEST(Safetensors, LayoutIsThatOfTheFormat) {
  const TemporaryFolder folder;
  const float numbers[2] = {1, 2};
  SafetensorsWriter writer;
  writer.add("a", DType::f32, {2}, numbers);
  writer.write(folder / "x");
  const std::string bytes = read_file(folder / "x");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ((8 + length) % 64, 0u);
  const std::string header = bytes.substr(8, length);
  const std::string json = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(header, json + std::string(length - json.size(), ' '));
  EXPECT_EQ(bytes.substr(8 + length), std::string(reinterpret_cast<const char*>(numbers), 8));
}

TEST(Safetensors, ReadsAnUnpaddedHeaderAndUnorderedNames) {
  const TemporaryFolder folder;
  const std::string header = R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                             R"("a":{"data_offsets":[2,5],"shape":[3],"dtype":"U8"}})";
  const SafetensorsReader reader(folder.write("x", file_of(header, 5)));
  EXPECT_EQ(reader.names(), (std::vector<std::string>{"b", "a"}));
  std::vector<std::uint8_t> a(3);
  reader.read("a", a);
  EXPECT_EQ(a, (std::vector<std::uint8_t>{2, 3, 4}));
}

TEST(Safetensors, MetadataThatIsNoUtf8IsStillAReadableFile) {
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  writer.metadata("path", "caf\xe9");
  writer.write(folder / "x");
  EXPECT_EQ(SafetensorsReader(folder / "x").metadata().at("path"), "caf\xef\xbf\xbd");
}

TEST(Safetensors, RefusesDamagedFiles) {
  const auto tensor = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  EXPECT_EQ(problem(file_of(tensor("\"F32\"", "[2]", "[0,8]"), 8)), "") << "the valid one";
  struct Case {
    std::string bytes, words;
  };
  const std::string max = "18446744073709551615";
  std::string zeros = "0";  // 65 of them
  for (int i = 0; i < 64; ++i) zeros += ",0";
  const std::vector<Case> cases = {
      {"", "has only 0 bytes"},
      {"1234567", "has only 7 bytes"},
      {std::string(8, '\xff') + "{}", "claims a header of " + max},
      {std::string(7, '\0') + "\x80{}", "claims a header of 9223372036854775808 bytes and has 10 bytes in all"},  // 2^63
      {file_of("{}", 0).substr(0, 9), "is cut short"},
      {file_of(std::string(17 << 20, ' '), 0), "the most allowed"},
      {file_of("", 0), "does not begin with a brace"},
      {file_of("[]", 0), "does not begin with a brace"},
      {file_of("{", 0), "is not valid JSON"},
      {file_of("{}x", 0), "is not valid JSON"},
      {file_of(R"({"a":)" + std::string(100000, '['), 0), "nests deeper"},
      {file_of(R"({"a":1})", 0), "must have dtype, shape and data_offsets"},
      {file_of(R"({"a":{"dtype":"F32","shape":[]}})", 0), "must have dtype"},
      {file_of(tensor("7", "[2]", "[0,8]"), 8), "dtype is not a string"},
      {file_of(tensor("\"F31\"", "[2]", "[0,8]"), 8), "unknown dtype \"F31\""},
      {file_of(tensor("\"F32\"", "2", "[0,8]"), 8), "shape is not an array"},
      {file_of(tensor("\"F32\"", "[" + zeros + "]", "[0,0]"), 0), "has 65 dimensions, and the most allowed is 64"},
      {file_of(tensor("\"F32\"", "[-2]", "[0,8]"), 8), "not a natural number"},
      {file_of(tensor("\"F32\"", "[2.0]", "[0,8]"), 8), "not a natural number"},
      {file_of(tensor("\"F32\"", "[" + max + "]", "[0,8]"), 8), "too large"},
      {file_of(tensor("\"F32\"", "[4611686018427387904,4]", "[0,0]"), 0), "more elements than fit"},
      {file_of(tensor("\"F32\"", "[2305843009213693952]", "[0,0]"), 0), "more elements than fit"},
      {file_of(tensor("\"F32\"", "[2]", "[0]"), 8), "data_offsets is not a pair"},
      {file_of(tensor("\"F32\"", "[2]", "[-8,0]"), 8), "not a natural number"},
      {file_of(tensor("\"F32\"", "[2]", "[8,0]"), 8), "ends before it begins"},
      {file_of(tensor("\"F32\"", "[2]", "[0,8]"), 7), "which has only 7"},
      {file_of(tensor("\"F32\"", "[2]", "[0,7]"), 8), "has 7 bytes of data, but its shape (2) of F32 needs 8"},
      {file_of(tensor("\"F32\"", "[2]", "[4,12]"), 12), "bytes 0 to 4 of the data belong to no tensor"},
      {file_of(tensor("\"F32\"", "[2]", "[0,8]"), 9), "bytes 8 to 9 of the data belong to no tensor"},
      {file_of(
           R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
           7),
       "tensor \"b\" overlaps"},
      {file_of(
           R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
           4),
       "names \"a\" twice"},
      {file_of(R"({"__metadata__":7})", 0), "is not an object"},
      {file_of(R"({"__metadata__":{"a":7}})", 0), "the metadata \"a\" is not a string"},
  };
  for (const Case& c : cases) {
    const std::string message = problem(c.bytes);
    EXPECT_NE(message.find(c.words), std::string::npos) << "expected: " << c.words << "\n but got: " << message;
  }
}

TEST(Safetensors, EveryCutFileIsRefused) {
  const TemporaryFolder folder;
  const std::vector<double> numbers(5);
  SafetensorsWriter writer;
  writer.add("a", DType::f64, {5}, numbers.data());
  writer.write(folder / "x");
  const std::string whole = read_file(folder / "x");
  ASSERT_EQ(problem(whole), "");
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_NE(problem(whole.substr(0, n)), "") << n;
}

TEST(Safetensors, WriterRefuses) {
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  const float x = 0;
  writer.add("a", DType::f32, {1}, &x);
  EXPECT_ERROR(writer.add("a", DType::f32, {1}, &x), "two tensors are named \"a\"");
  EXPECT_ERROR(writer.add("__metadata__", DType::f32, {1}, &x), "__metadata__");
  EXPECT_ERROR(writer.add("b", DType::f32, {-1}, &x), "impossible shape (-1)");
  EXPECT_ERROR(writer.write(folder / "none/x"), "cannot write");
}

}  // namespace
}  // namespace megalith
