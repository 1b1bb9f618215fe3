// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/config_json.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <limits>
#include <type_traits>

#include "../strict_json.h"
#include "megalith/core/check.h"
#include "megalith/core/nearest.h"

namespace megalith {
namespace {

using detail::in_quotes;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMostDepth = 8;

template <class T, class Plain>
concept Is = std::same_as<std::remove_const_t<T>, Plain>;

// The names of the fields, once for reading and writing: calls f(name, member) in the order of the file.

template <Is<StackConfig> C, class F>
void visit_fields(C& c, F&& f) {
  f("width", c.width);
  f("layers", c.layers);
  f("heads", c.heads);
  f("hidden", c.hidden);
  f("window", c.window);
  f("norm", c.norm);
  f("activation", c.activation);
  f("positions", c.positions);
  f("rotary_base", c.rotary_base);
  f("qk_norm", c.qk_norm);
  f("bias", c.bias);
  f("dropout", c.dropout);
}

template <Is<ScaleConfig> C, class F>
void visit_fields(C& c, F&& f) {
  f("unit", c.unit);
  f("embedding", c.embedding);
  f("first_input", c.first_input);
  f("stack", c.stack);
}

template <Is<ModelConfig> C, class F>
void visit_fields(C& c, F&& f) {
  f("length", c.length);
  f("scales", c.scales);
  f("tied", c.tied);
  f("soft_cap", c.soft_cap);
  f("init_std", c.init_std);
  f("residual_init", c.residual_init);
}

// The names of the flavours, in the order of their enumerators.

template <class E>
constexpr std::array<std::string_view, 0> kFlavours{};
template <>
constexpr std::array<std::string_view, 2> kFlavours<NormKind>{"layer", "rms"};
template <>
constexpr std::array<std::string_view, 4> kFlavours<Activation>{"relu", "gelu", "relu_squared", "swiglu"};
template <>
constexpr std::array<std::string_view, 3> kFlavours<PositionKind>{"learned", "rotary", "none"};
template <>
constexpr std::array<std::string_view, 2> kFlavours<FirstInput>{"pad", "previous"};

template <class T>
ordered_json write(const T& value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return value;
  } else if constexpr (std::is_enum_v<T>) {
    return kFlavours<T>.at(static_cast<std::size_t>(value));
  } else if constexpr (std::same_as<T, std::vector<ScaleConfig>>) {
    ordered_json out = ordered_json::array();
    for (const ScaleConfig& scale : value) out.push_back(write(scale));
    return out;
  } else {
    ordered_json out = ordered_json::object();
    visit_fields(value, [&](const char* name, const auto& member) { out[name] = write(member); });
    return out;
  }
}

/// Fills configs from JSON. `at` is the path of a value, such as `scales[0].stack`, empty for the whole.
struct Reader {
  std::string_view where;  // names the file

  template <class... A>
  void require(bool sound, const std::string& at, const A&... must) const {
    check(sound, where, ": ", at.empty() ? "the config" : at, " ", must...);
  }

  void read(const json& value, const std::string& at, bool& out) const {
    require(value.is_boolean(), at, "must be true or false");
    out = value.get<bool>();
  }

  void read(const json& value, const std::string& at, Index& out) const {
    require(value.is_number_integer(), at, "must be a whole number");
    const bool fits = !value.is_number_unsigned() ||
                      value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
    require(fits, at, "is too large");
    out = value.get<Index>();
  }

  void read(const json& value, const std::string& at, double& out) const {
    require(value.is_number(), at, "must be a number");
    out = value.get<double>();
  }

  template <class E>
  requires std::is_enum_v<E>
  void read(const json& value, const std::string& at, E& out) const {
    require(value.is_string(), at, "must be a name such as ", in_quotes(kFlavours<E>[0]));
    const auto& name = value.get_ref<const std::string&>();
    const auto found = std::find(kFlavours<E>.begin(), kFlavours<E>.end(), name);
    require(found != kFlavours<E>.end(), at, "cannot be ", in_quotes(name), "; did you mean ",
            in_quotes(nearest(name, kFlavours<E>)), "?");
    out = static_cast<E>(found - kFlavours<E>.begin());
  }

  void read(const json& value, const std::string& at, std::vector<ScaleConfig>& out) const {
    require(value.is_array(), at, "must be an array with an object for each scale");
    out.assign(value.size(), {});
    for (std::size_t i = 0; i < value.size(); ++i) read(value[i], text(at, "[", i, "]"), out[i]);
  }

  template <class C>
  requires std::is_class_v<C>
  void read(const json& value, const std::string& at, C& out) const {
    require(value.is_object(), at, "must be an object");
    std::vector<std::string_view> names;
    visit_fields(out, [&](const char* name, auto& member) {
      names.push_back(name);
      if (value.contains(name)) read(value[name], at.empty() ? name : at + "." + name, member);
    });
    for (const auto& [key, member] : value.items())
      require(std::find(names.begin(), names.end(), key) != names.end(), at, "has no field ", in_quotes(key),
              "; did you mean ", in_quotes(nearest(key, names)), "?");
  }
};

/// Walks two trees that were written by write().
std::string difference(const ordered_json& a, const ordered_json& b, const std::string& at) {
  if (a == b) return "";
  if (a.is_array() && a.size() != b.size()) return text("the number of ", at, " (", a.size(), " and ", b.size(), ")");
  for (std::size_t i = 0; a.is_array() && i < a.size(); ++i)
    if (a[i] != b[i]) return difference(a[i], b[i], text(at, "[", i, "]"));
  if (a.is_object())
    for (const auto& [key, value] : a.items())
      if (value != b[key]) return difference(value, b[key], at.empty() ? key : at + "." + key);
  return text(at, " (", a.dump(), " and ", b.dump(), ")");
}

}  // namespace

std::string to_json(const ModelConfig& config) { return write(config).dump(2) + "\n"; }

ModelConfig config_from_json(std::string_view text, std::string_view where) {
  const json root = detail::parse_strict(text, where, kMostDepth);
  const Reader reader{where};
  ModelConfig config;
  reader.read(root, "", config);
  reader.require(root.contains("scales"), "", "has no field \"scales\"");
  return config;
}

std::string first_difference(const ModelConfig& a, const ModelConfig& b) { return difference(write(a), write(b), ""); }

}  // namespace megalith
