// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/zoo.h"

#include "megalith/core/check.h"
#include "megalith/core/nearest.h"
#include "megalith/models/structure.h"
#include "megalith/nn/linear_transformer_config.h"
#include "megalith/nn/mega_config.h"
#include "megalith/nn/megalodon_config.h"
#include "megalith/nn/perceiver_config.h"

namespace megalith {
namespace {

/// A stack as in the paper and the GPT-2 of its time: LayerNorm, 4x ReLU, learned positions.
StackConfig classic(Index width, Index layers, Index heads) {
  return {.width = width, .layers = layers, .block = TransformerConfig{.heads = heads}};
}

/// The vanilla transformer that MEGABYTE is compared with: as above, but with rotary positions. With learned ones it knows
/// no more than pairs of bytes at the end of ten minutes (bench/README.md), which would compare nothing.
ModelConfig vanilla(Index width, Index layers, Index heads, Index hidden, Index window = 0) {
  const StackConfig stack{.width = width,
                          .layers = layers,
                          .positions = PositionKind::rotary,
                          .block = TransformerConfig{.heads = heads, .hidden = hidden, .window = window}};
  return {.length = 1024, .scales = {{.patch = 1, .stack = stack}}};
}

/// The stack of Llama 2 and its like (Touvron et al. 2023): RMSNorm, SwiGLU, rotary positions, grouped keys, no biases.
ModelConfig llama(Index width, Index layers, Index heads, Index kv_heads, Index hidden) {
  const TransformerConfig block{
      .heads = heads, .kv_heads = kv_heads, .hidden = hidden, .norm = NormKind::rms, .activation = Activation::swiglu};
  const StackConfig stack{
      .width = width, .layers = layers, .positions = PositionKind::rotary, .bias = false, .block = block};
  return {.length = 1024, .scales = {{.patch = 1, .stack = stack}}};
}

/// Perceiver AR (Hawthorne et al. 2022) as its source has it: LayerNorm, ReLU², rotary positions. `layers` stand behind the
/// first, which attends to all of the window; the `latents` bytes at the end of each window are predicted.
ModelConfig perceiver(Index length, Index latents, Index width, Index layers, Index heads, Index hidden = 0) {
  const PerceiverConfig block{.latents = latents,
                              .predicted = latents,
                              .layer = {.heads = heads, .hidden = hidden, .activation = Activation::relu_squared}};
  const StackConfig stack{.width = width, .layers = 1 + layers, .positions = PositionKind::rotary, .block = block};
  return {.length = length, .scales = {{.patch = 1, .stack = stack}}};
}

/// The vanilla transformer above with linear attention (Katharopoulos et al. 2020).
ModelConfig linear(Index width, Index layers, Index heads, Index hidden) {
  const StackConfig stack{.width = width,
                          .layers = layers,
                          .positions = PositionKind::rotary,
                          .block = LinearTransformerConfig{.heads = heads, .hidden = hidden}};
  return {.length = 1024, .scales = {{.patch = 1, .stack = stack}}};
}

/// MEGALODON (Ma et al. 2024): rotary positions inside of chunks. `hidden` of 0 is that of the block.
StackConfig megalodon(Index width, Index layers, Index heads, Index hidden, Index chunk, Index groups = 0) {
  return {.width = width,
          .layers = layers,
          .positions = PositionKind::rotary,
          .block = MegalodonConfig{.heads = heads, .hidden = hidden, .chunk = chunk, .groups = groups}};
}
/// The same alone, in windows of `length` bytes.
ModelConfig megalodon_model(Index length, const StackConfig& stack) {
  return {.length = length, .scales = {{.stack = stack}}};
}
/// The shapes that the authors' code names, on bytes: their layers have as many parameters as there, and the table is of 256
/// bytes instead of 32,000 tokens, and tied.
ModelConfig authors_megalodon(Index width, Index layers, Index heads, Index hidden, Index groups,
                              Activation activation = Activation::silu) {
  StackConfig stack = megalodon(width, layers, heads, hidden, 2048, groups);
  stack.block.as<MegalodonConfig>().activation = activation;
  return megalodon_model(4096, stack);
}

/// A stack with what has proved better since: RMSNorm, rotary positions, normalised queries and keys, ReLU², no biases.
StackConfig modern(Index width, Index layers, Index heads) {
  const TransformerConfig block{
      .heads = heads, .norm = NormKind::rms, .activation = Activation::relu_squared, .qk_norm = true};
  return {.width = width, .layers = layers, .positions = PositionKind::rotary, .bias = false, .block = block};
}

/// Scales of modern stacks; all but the outermost read the true previous bytes first.
ModelConfig modern_model(Index length, std::vector<ScaleConfig> scales) {
  for (std::size_t i = 1; i < scales.size(); ++i) scales[i].first_input = FirstInput::previous;
  return {.length = length, .scales = std::move(scales)};
}

/// The same, each local model attending to the whole patch before too.
ModelConfig with_cross_patch(ModelConfig config) {
  for (std::size_t i = 1; i < config.scales.size(); ++i) config.scales[i].cross_patch = config.scales[i - 1].patch;
  return config;
}
ModelConfig with_dropout(ModelConfig config, double dropout) {
  for (ScaleConfig& scale : config.scales) scale.stack.dropout = dropout;
  return config;
}

/// Square pictures of 3 channels, in tiles of `tile` x `tile` pixels.
RecordConfig pictures(Index side, Index tile) {
  return {.bytes = side * side * 3,
          .scan = {.kind = ScanKind::patch, .width = side, .height = side, .channels = 3, .tile = tile}};
}

/// Equations (1) to (6) of Yu et al. 2023, and cross-patch attention (2.3.2), whose rotary positions are the local model's
/// only ones; the paper does not say over how many bytes, and here it is a patch. Appendix A.1: dropout 0.1, weights of
/// standard deviation 0.006. The shapes are those of the paper's table of models (13 at NeurIPS). The sizes that it prints
/// are nominal: those of GPT-3's models of that width, times the layers over theirs, so that "758M" has 705 million
/// parameters in its layers (bench/README.md).
ModelConfig paper(Index length, Index patch, StackConfig global, StackConfig local, Index embedding = 0) {
  global.dropout = local.dropout = 0.1;
  local.positions = PositionKind::rotary;
  return {.length = length,
          .scales = {{.patch = patch, .embedding = embedding, .stack = global},
                     {.patch = 1, .cross_patch = patch, .stack = local}},
          .init_std = 0.006,
          .residual_init = 1};
}
ModelConfig of_records(ModelConfig config, const RecordConfig& record) {
  config.record = record;
  return config;
}

/// MEGABYTE for photographs: a picture a window, in patches of 4 x 4 pixels. The global model sees the patch above, the
/// local one its own and, by cross-patch attention, that to the left.
ModelConfig photographs(Index side) {
  constexpr Index tile = 4, patch = tile * tile * 3;
  const ModelConfig c = modern_model(
      side * side * 3, {{.patch = patch, .stack = modern(384, 3, 6)}, {.patch = 1, .stack = modern(128, 3, 2)}});
  return of_records(with_cross_patch(c), pictures(side, tile));
}
/// MEGABYTE for FASTA with lines of 70 letters, which windows begin with: learned positions tell where a line ends.
ModelConfig genome() {
  ModelConfig c = with_cross_patch(
      modern_model(1136, {{.patch = 4, .stack = modern(256, 4, 4)}, {.patch = 1, .stack = modern(128, 3, 2)}}));
  c.scales[0].stack.positions = PositionKind::learned;
  return of_records(c, {.bytes = 71});
}

ModelConfig megabyte_megalodon() {
  return with_cross_patch(modern_model(
      4096, {{.patch = 8, .stack = megalodon(512, 5, 1, 1776, 128)}, {.patch = 1, .stack = modern(256, 2, 4)}}));
}

std::vector<Preset> make_presets() {
  const ModelConfig paper_text = paper(8192, 8, classic(2048, 14, 32), classic(1024, 18, 16));
  ModelConfig paper_perceiver = perceiver(8192, 1024, 1024, 17, 16);
  paper_perceiver.scales[0].stack.dropout = 0.1;
  paper_perceiver.init_std = 0.006;
  paper_perceiver.residual_init = 1;

  return {
      {"megabyte-tiny", "the quick start: learns text in two minutes on two cores",
       modern_model(256, {{.patch = 4, .stack = modern(192, 3, 3)}, {.patch = 1, .stack = modern(96, 2, 3)}})},
      {"megabyte-small",
       "the reference shape R1: patches of 8, learned positions at both scales",
       {.length = 1024, .scales = {{.patch = 8, .stack = classic(512, 6, 8)}, {.patch = 1, .stack = classic(256, 2, 4)}}}},
      {"megabyte-books", "for some megabytes of prose and ten minutes on two cores",
       modern_model(512, {{.patch = 4, .stack = modern(256, 4, 4)}, {.patch = 1, .stack = modern(128, 2, 4)}})},
      {"megabyte-three-scale", "three scales: patches of 16, 4 and 1 bytes",
       modern_model(1024, {{.patch = 16, .stack = modern(384, 4, 6)},
                           {.patch = 4, .stack = modern(256, 2, 4)},
                           {.patch = 1, .stack = modern(128, 2, 4)}})},
      {"megabyte-image32", "photographs of 32 x 32 pixels in colour, as raw bytes (megalith raw)",
       with_dropout(photographs(32), 0.1)},
      {"megabyte-image64", "photographs of 64 x 64 pixels in colour, as raw bytes (megalith raw)", photographs(64)},
      {"megabyte-audio", "speech of 8,000 samples a second in mu-law, a byte each (megalith raw --mu-law)",
       with_cross_patch(
           modern_model(2048, {{.patch = 8, .stack = modern(256, 4, 4)}, {.patch = 1, .stack = modern(128, 3, 2)}}))},
      {"megabyte-logs", "logs of some megabytes, in windows of some tens of lines",
       with_dropout(with_cross_patch(modern_model(
                        4096, {{.patch = 8, .stack = modern(256, 4, 4)}, {.patch = 1, .stack = modern(128, 2, 2)}})),
                    0.1)},
      {"megabyte-genome", "FASTA with lines of 70 letters; --record 61 --length 976 for lines of 60", genome()},
      {"vanilla-tiny", "a small vanilla byte transformer: learns the lines of a log, or short files, in a minute",
       modern_model(512, {{.patch = 1, .stack = modern(128, 3, 2)}})},
      {"vanilla-small-flops", "a vanilla byte transformer of R1's cost per byte", vanilla(256, 4, 4, 928)},
      {"llama-small",
       "a Llama-style byte transformer of R1's cost per byte: RMSNorm, SwiGLU, rotary positions, grouped keys",
       llama(256, 4, 8, 2, 752)},
      {"perceiver-small", "Perceiver AR of R1's cost per byte that it predicts: the last 256 of each 1,024",
       perceiver(1024, 256, 256, 3, 4, 896)},
      {"linear-small", "a linear transformer of R1's cost per byte: its memory of what came before does not grow",
       linear(256, 4, 4, 1376)},
      {"megalodon-tiny", "a small MEGALODON: text of any length, in minutes on two cores",
       megalodon_model(512, megalodon(128, 3, 1, 384, 128))},
      {"megalodon-small", "MEGALODON of R1's cost per byte: attention in chunks of 512, and what came before in its state",
       megalodon_model(4096, megalodon(256, 4, 1, 688, 512))},
      {"mega-small", "MEGA of R1's cost per byte: attention in chunks of 512",
       megalodon_model(
           4096,
           {.width = 256, .layers = 4, .positions = PositionKind::none, .block = MegaConfig{.hidden = 608, .chunk = 512}})},
      {"megabyte-megalodon-small", "MEGABYTE of R1's cost per byte whose global model is a MEGALODON over patches of 8",
       megabyte_megalodon()},
      {"vanilla-small-params", "a vanilla byte transformer of R1's number of parameters", vanilla(576, 5, 9, 2400)},
      {"vanilla-small-window", "the same, each byte seeing itself and the 255 before it", vanilla(576, 5, 9, 2400, 256)},
      {"megabyte-paper", "equations (1) to (6) of the paper and its cross-patch attention, in its shape for text",
       paper_text},
      {"paper-text", "the paper's shape for text: another name of megabyte-paper", paper_text},
      {"paper-perceiver-text",
       "the Perceiver AR that the paper compares with on text: 1,024 latents, 17 layers behind the first", paper_perceiver},
      {"paper-image64", "the paper's shape for ImageNet64, with a linear embedder as 12 does not divide its width",
       of_records(paper(12288, 12, classic(2048, 24, 32), classic(2048, 24, 32), 170), pictures(64, 2))},
      {"paper-image256", "the paper's shape for images of 256 x 256: patches of 192",
       of_records(paper(196608, 192, classic(768, 12, 12), classic(768, 12, 12)), pictures(256, 8))},
      {"paper-image640", "the paper's shape for images of 640 x 640: patches of 192",
       of_records(paper(1228800, 192, classic(768, 12, 12), classic(768, 8, 12)), pictures(640, 8))},
      {"paper-audio", "the paper's shape for raw audio: patches of 32",
       of_records(paper(524288, 32, classic(1024, 24, 16), classic(768, 12, 12)), {.bytes = 2})},
      {"paper-megalodon-200m", "the shape that MEGALODON's code calls mega200M, on bytes",
       authors_megalodon(1024, 12, 1, 2560, 32)},
      {"paper-megalodon-1.3b", "the shape that MEGALODON's code calls mega1.3B, on bytes",
       authors_megalodon(2048, 24, 2, 4864, 64)},
      {"paper-megalodon-pg19", "the shape that MEGALODON's code calls mega1.3B_pg19, on bytes: SwiGLU",
       authors_megalodon(2048, 24, 2, 3584, 64, Activation::swiglu)},
      {"paper-megalodon-7b", "the shape that MEGALODON's code calls mega7.1B, on bytes: that of the paper's 7B",
       authors_megalodon(4096, 32, 4, 11264, 64)},
  };
}

}  // namespace

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = make_presets();
  return all;
}

const Preset& preset(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Preset& p : presets()) {
    if (p.name == name) return p;
    names.push_back(p.name);
  }
  throw Error(
      text("there is no model named \"", name, "\"", suggestion(name, names), " (the name of a config file ends in .json)"));
}

std::string model_name(const ModelConfig& config) {
  for (const Preset& p : presets())
    if (same_structure(p.config, config)) return p.name;
  return "a model of its own";
}

}  // namespace megalith
