// SPDX-License-Identifier: Apache-2.0
#include "megalith/core/fields.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace megalith {
namespace {

enum class Colour { red, green, blue };

}  // namespace

template <>
inline constexpr std::array<std::string_view, 3> kNames<Colour>{"red", "green", "blue"};

namespace {

enum class Nameless { a };
static_assert(NamedEnum<Colour>);
static_assert(!NamedEnum<Nameless>);
static_assert(!NamedEnum<Index>);

struct Settings {
  bool on = false;
  Index count = 3;
  double rate = 0.5;
  Colour colour = Colour::green;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("on", c.on);
    f("count", c.count);
    f("rate", c.rate);
    f("colour", c.colour);
  }
};

/// Writes each field down, and changes it.
struct Writer : FieldVisitor {
  std::ostringstream out;
  using FieldVisitor::field;
  void field(const char* name, bool& value) override {
    out << name << '=' << (value ? "true" : "false") << ' ';
    value = !value;
  }
  void field(const char* name, Index& value) override { out << name << '=' << value++ << ' '; }
  void field(const char* name, double& value) override {
    out << name << '=' << value << ' ';
    value *= 2;
  }
  void field(const char* name, std::span<const std::string_view> names, std::size_t& value) override {
    out << name << '=' << names[value] << '/' << names.size() << ' ';
    value = names.size() - 1;
  }
};

TEST(Fields, AVisitorReadsAndChangesEachByItsType) {
  Settings s;
  Writer writer;
  Settings::visit_fields(s, [&](const char* name, auto& value) { writer.field(name, value); });
  EXPECT_EQ(writer.out.str(), "on=false count=3 rate=0.5 colour=green/3 ");
  EXPECT_TRUE(s.on);
  EXPECT_EQ(s.count, 4);
  EXPECT_EQ(s.rate, 1);
  EXPECT_EQ(s.colour, Colour::blue);
}

}  // namespace
}  // namespace megalith
