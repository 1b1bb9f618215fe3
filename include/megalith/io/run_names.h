// SPDX-License-Identifier: Apache-2.0
// The files in the folder of a run: train/trainer.h says what they hold.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace megalith::run_names {

inline constexpr std::string_view kConfig = "config.json";
inline constexpr std::string_view kModel = "model.safetensors";
inline constexpr std::string_view kBest = "best.safetensors";
inline constexpr std::string_view kState = "state.safetensors";
inline constexpr std::string_view kMetrics = "metrics.jsonl";
inline constexpr std::array kAll{kConfig, kModel, kBest, kState, kMetrics};

/// The path of one of them.
inline std::string path_in(const std::string& run_dir, std::string_view name) { return run_dir + "/" + std::string(name); }

}  // namespace megalith::run_names
