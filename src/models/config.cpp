// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/config.h"

#include <cmath>

#include "megalith/core/problems.h"

namespace megalith {
namespace {

// Far above anything that fits a machine, and low enough that no product of sizes overflows.
constexpr Index kMaxLength = Index{1} << 31;
constexpr Index kMaxWidth = 65536;
constexpr Index kMaxLayers = 1024;
constexpr Index kMaxHidden = Index{1} << 20;
constexpr Index kMaxScales = 3;  // as many as are compiled

void check_stack(const StackConfig& c, const std::string& at, Problems& problems) {
  const std::string width = at + ".width", heads = at + ".heads";
  const bool width_ok = problems.range(width, c.width, 1, kMaxWidth);
  problems.range(at + ".layers", c.layers, 1, kMaxLayers);
  const bool heads_ok = problems.range(heads, c.heads, 1, kMaxWidth);
  if (width_ok && heads_ok &&
      problems.unless(c.width % c.heads == 0, {heads, width}, " = ", c.heads, " does not divide ", width, " = ", c.width))
    problems.unless(c.positions != PositionKind::rotary || c.width / c.heads % 2 == 0, {heads, width}, " = ", c.heads,
                    " splits ", width, " = ", c.width, " into heads of ", c.width / c.heads,
                    " channels, and rotary positions need an even number");
  problems.range(at + ".hidden", c.hidden, 0, kMaxHidden);
  problems.range(at + ".window", c.window, 0, kMaxLength);
  problems.unless(std::isfinite(c.rotary_base) && c.rotary_base > 0, at + ".rotary_base", " must be above 0, not ",
                  c.rotary_base);
  problems.unless(c.dropout >= 0 && c.dropout < 1, at + ".dropout", " must be at least 0 and below 1, not ", c.dropout);
}

void check_embedding(const ScaleConfig& c, bool innermost, const std::string& at, Problems& problems) {
  const std::string embedding = at + ".embedding", unit = at + ".unit", width = at + ".stack.width";
  if (!problems.range(embedding, c.embedding, 0, kMaxWidth)) return;
  if (c.unit < 1 || c.unit > kMaxLength || c.stack.width < 1 || c.stack.width > kMaxWidth) return;
  if (innermost) {
    problems.unless(c.embedding == 0 || c.embedding == c.stack.width, {embedding, width}, " = ", c.embedding,
                    " must be 0 or ", width, " = ", c.stack.width, ", because the innermost scale reads bytes one by one");
    return;
  }
  problems.unless(c.embedding > 0 || c.stack.width % c.unit == 0, {unit, width, embedding}, " = ", c.unit,
                  " does not divide ", width, " = ", c.stack.width, "; set ", embedding, " to have a linear layer between");
  problems.unless(c.embedding * c.unit <= kMaxHidden, {embedding, unit}, " * ", unit, " must be at most ", kMaxHidden,
                  ", not ", c.embedding * c.unit);
}

void check_units(const ModelConfig& config, Problems& problems) {
  const auto name = [](std::size_t i) { return text("scales[", i, "].unit"); };
  const auto& scales = config.scales;
  const std::size_t last = scales.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    const Index unit = scales[i].unit, inner = scales[i + 1].unit;
    if (!problems.range(name(i), unit, 1, kMaxLength) || inner < 1) continue;
    if (problems.unless(unit > inner, {name(i), name(i + 1)}, " = ", unit, " must be larger than ", name(i + 1), " = ",
                        inner))
      problems.unless(unit % inner == 0, {name(i + 1), name(i)}, " = ", inner, " does not divide ", name(i), " = ", unit);
  }
  problems.unless(scales[last].unit == 1, name(last), " must be 1, not ", scales[last].unit,
                  ": the innermost scale predicts bytes");
  const Index outer = scales[0].unit;
  if (problems.range("length", config.length, 1, kMaxLength) && outer >= 1)
    problems.unless(config.length % outer == 0, {"length", name(0)}, " = ", config.length, " is not a multiple of ", name(0),
                    " = ", outer);
}

}  // namespace

void ModelConfig::list_problems(Problems& problems) const {
  problems.unless(!scales.empty() && scales.size() <= kMaxScales, "scales", " must have 1 to ", kMaxScales, " entries, not ",
                  scales.size());
  if (!scales.empty() && scales.size() <= kMaxScales) {
    check_units(*this, problems);
    problems.unless(scales[0].first_input == FirstInput::pad, "scales[0].first_input",
                    " must be \"pad\": nothing comes before a window");
    for (std::size_t i = 0; i < scales.size(); ++i) {
      const std::string at = text("scales[", i, "]");
      check_embedding(scales[i], i + 1 == scales.size(), at, problems);
      check_stack(scales[i].stack, at + ".stack", problems);
    }
  } else {
    problems.range("length", length, 1, kMaxLength);
  }
  problems.unless(std::isfinite(soft_cap) && soft_cap >= 0, "soft_cap", " must be 0 or above, not ", soft_cap);
  problems.unless(std::isfinite(init_std) && init_std >= 0, "init_std", " must be 0 or above, not ", init_std);
  problems.unless(std::isfinite(residual_init) && residual_init >= 0, "residual_init", " must be 0 or above, not ",
                  residual_init);
}

void ModelConfig::validate() const {
  Problems problems;
  list_problems(problems);
  problems.report("the model's config ",
                  problems.count() == 1 ? "is not sound: " : text("has ", problems.count(), " problems: "));
}

std::string in_words(const ModelConfig& config) {
  std::string all;
  for (const ScaleConfig& scale : config.scales)
    all += text(scale.stack.layers, scale.stack.layers == 1 ? " layer" : " layers", " of width ", scale.stack.width,
                " over ", scale.unit > 1 ? text("patches of ", scale.unit, " bytes") : std::string("bytes"), ", ");
  return text(all, "windows of ", config.length, " bytes");
}

}  // namespace megalith
