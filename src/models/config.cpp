// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/config.h"

#include <cmath>

#include "megalith/core/problems.h"
#include "megalith/nn/block_kind.h"
#include "megalith/nn/perceiver_config.h"

namespace megalith {
namespace {

// Far above anything that fits a machine, and low enough that no product of sizes overflows.
constexpr Index kMaxLength = Index{1} << 31;
constexpr Index kMaxWidth = 65536;
constexpr Index kMaxLayers = 1024;
constexpr Index kMaxPatchNumbers = Index{1} << 20;
constexpr Index kMaxScales = 3;  // as many as are compiled

void check_stack(const StackConfig& c, const std::string& at, Problems& problems) {
  problems.range(at + ".width", c.width, 1, kMaxWidth);
  problems.range(at + ".layers", c.layers, 1, kMaxLayers);
  problems.unless(c.dropout >= 0 && c.dropout < 1, at + ".dropout", " must be at least 0 and below 1, not ", c.dropout);
  c.block.kind().list_problems(c, at, problems);
}

void check_embedding(const ScaleConfig& c, bool innermost, const std::string& at, Problems& problems) {
  const std::string embedding = at + ".embedding", patch = at + ".patch", width = at + ".stack.width";
  if (!problems.range(embedding, c.embedding, 0, kMaxWidth)) return;
  if (c.patch < 1 || c.patch > kMaxLength || c.stack.width < 1 || c.stack.width > kMaxWidth) return;
  if (innermost) {
    problems.unless(c.embedding == 0 || c.embedding == c.stack.width, {embedding, width}, " = ", c.embedding,
                    " must be 0 or ", width, " = ", c.stack.width, ", because the innermost scale reads bytes one by one");
    return;
  }
  problems.unless(c.embedding > 0 || c.stack.width % c.patch == 0, {patch, width, embedding}, " = ", c.patch,
                  " does not divide ", width, " = ", c.stack.width, "; set ", embedding, " to have a linear layer between");
  problems.unless(c.embedding * c.patch <= kMaxPatchNumbers, {embedding, patch}, " * ", patch, " must be at most ",
                  kMaxPatchNumbers, ", not ", c.embedding * c.patch);
}

void check_cross_patch(const ModelConfig& c, std::size_t scale, const std::string& at, Problems& problems) {
  const std::string name = at + ".cross_patch", positions = at + ".stack.positions";
  const Index r = c.scales[scale].cross_patch;
  if (scale == 0) {
    problems.unless(r == 0, name, " must be 0, not ", r, ": the outermost scale is inside no patch");
    return;
  }
  const Index patch = c.scales[scale].patch, around = c.scales[scale - 1].patch;
  if (patch < 1 || around < patch || around > kMaxLength) return;
  problems.range(name, r, 0, around / patch);
  problems.unless(r <= 0 || c.scales[scale].stack.positions == PositionKind::rotary, {name, positions}, " = ", r, " needs ",
                  positions, " to be \"rotary\", which tells how far apart two positions are");
}

void check_convolution(const ScaleConfig& c, bool innermost, const std::string& at, Problems& problems) {
  problems.unless(!c.convolution || !innermost, at + ".convolution",
                  " must be false, because the innermost scale has no patches to embed");
}

void check_patches(const ModelConfig& config, Problems& problems) {
  const auto name = [](std::size_t i) { return text("scales[", i, "].patch"); };
  const auto& scales = config.scales;
  const std::size_t last = scales.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    const Index patch = scales[i].patch, inner = scales[i + 1].patch;
    if (!problems.range(name(i), patch, 1, kMaxLength) || inner < 1) continue;
    if (problems.unless(patch > inner, {name(i), name(i + 1)}, " = ", patch, " must be larger than ", name(i + 1), " = ",
                        inner))
      problems.unless(patch % inner == 0, {name(i + 1), name(i)}, " = ", inner, " does not divide ", name(i), " = ", patch);
  }
  problems.unless(scales[last].patch == 1, name(last), " must be 1, not ", scales[last].patch,
                  ": the innermost scale predicts bytes");
  const Index outer = scales[0].patch;
  if (problems.range("length", config.length, 1, kMaxLength) && outer >= 1)
    problems.unless(config.length % outer == 0, {"length", name(0)}, " = ", config.length, " is not a multiple of ", name(0),
                    " = ", outer);
}

/// What a stack of Perceiver AR asks of the model that it is in.
void check_perceiver(const ModelConfig& config, std::size_t scale, const std::string& at, Problems& problems) {
  const ScaleConfig& c = config.scales[scale];
  const auto* const perceiver = c.stack.block.get_if<PerceiverConfig>();
  if (perceiver == nullptr) return;
  const std::string own = at + ".perceiver.", latents = own + "latents";
  problems.unless(perceiver->predicted == 0 || config.scales.size() == 1, own + "predicted", " must be 0, not ",
                  perceiver->predicted, ", in a model of several scales, which predicts all bytes of its windows");
  const Index window = window_bytes(config, scale);
  if (c.patch < 1 || window < 1 || window % c.patch != 0 || perceiver->latents < 1) return;
  const std::string window_name = scale == 0 ? "length" : text("scales[", scale - 1, "].patch");
  const std::string by_patch = c.patch > 1 ? text(" / scales[", scale, "].patch") : "";
  problems.unless(window / c.patch % perceiver->latents == 0, {latents, window_name}, " = ", perceiver->latents,
                  " does not divide ", window_name, by_patch, " = ", window / c.patch, ", the positions of a window");
}

}  // namespace

void ModelConfig::list_problems(Problems& problems) const {
  problems.unless(!scales.empty() && scales.size() <= kMaxScales, "scales", " must have 1 to ", kMaxScales, " entries, not ",
                  scales.size());
  if (!scales.empty() && scales.size() <= kMaxScales) {
    check_patches(*this, problems);
    problems.unless(scales[0].first_input == FirstInput::pad, "scales[0].first_input",
                    " must be \"pad\": nothing comes before a window");
    for (std::size_t i = 0; i < scales.size(); ++i) {
      const std::string at = text("scales[", i, "]");
      check_embedding(scales[i], i + 1 == scales.size(), at, problems);
      check_cross_patch(*this, i, at, problems);
      check_convolution(scales[i], i + 1 == scales.size(), at, problems);
      const bool patched = i > 0 && scales[i].patch >= 1;
      check_stack(patched ? stack_config(*this, i) : scales[i].stack, at + ".stack", problems);
      check_perceiver(*this, i, at + ".stack", problems);
    }
  } else {
    problems.range("length", length, 1, kMaxLength);
  }
  record.list_problems("record", problems);
  const bool positive = length >= 1 && record.bytes >= 1;
  problems.unless(!positive || suits(record, length), {"record.bytes", "length"}, " = ", record.bytes,
                  " neither divides length = ", length, " nor is a multiple of it");
  problems.unless(std::isfinite(soft_cap) && soft_cap >= 0, "soft_cap", " must be 0 or above, not ", soft_cap);
  problems.unless(std::isfinite(init_std) && init_std >= 0, "init_std", " must be 0 or above, not ", init_std);
  problems.unless(std::isfinite(residual_init) && residual_init >= 0, "residual_init", " must be 0 or above, not ",
                  residual_init);
}

void ModelConfig::validate() const {
  Problems problems;
  list_problems(problems);
  problems.report("the model's config ",
                  problems.count() == 1 ? "is not valid: " : text("has ", problems.count(), " problems: "));
}

std::string stacks_in_words(const ModelConfig& config) {
  std::string all;
  for (const ScaleConfig& scale : config.scales) {
    const bool transformer = scale.stack.block.get_if<TransformerConfig>() != nullptr;
    all += text(all.empty() ? "" : ", ", scale.stack.layers, transformer ? "" : text(" ", scale.stack.block.name()),
                scale.stack.layers == 1 ? " layer" : " layers", " of width ", scale.stack.width, " over ",
                scale.patch > 1 ? text("patches of ", scale.patch, " bytes") : std::string("bytes"));
  }
  return all;
}

std::string in_words(const ModelConfig& config) {
  const std::string records = in_words(config.record);
  return text(stacks_in_words(config), config.scales.empty() ? "" : ", ", "windows of ", config.length, " bytes",
              records.empty() ? "" : ", " + records);
}

}  // namespace megalith
