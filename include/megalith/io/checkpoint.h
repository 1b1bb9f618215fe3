// SPDX-License-Identifier: Apache-2.0
// Models in files: safetensors with the config in the metadata. README.md beside this file has names and shapes.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "megalith/models/any_model.h"

namespace megalith {

/// Of the layout of a model's file: names, shapes, meaning. A file of another version is refused.
inline constexpr int kCheckpointVersion = 2;

/// Writes a model's parameters and config; `extra` goes into the metadata beside them. Replaces the file at `path`, whole or
/// not at all. Throws Error where that is not possible.
void save_model(const std::string& path, const AnyModel& model, const std::map<std::string, std::string>& extra = {});

/// The same for other values of the parameters of a model that make_model(config) makes, such as averaged ones, in the
/// model's order.
void save_model(const std::string& path, const ModelConfig& config, std::span<const Parameter> values,
                const std::map<std::string, std::string>& extra = {});

/// The model in a file, or in the `model.safetensors` of a run's folder. Throws Error where the file is missing, damaged (a
/// number that is changed to another finite one is not noticed), not a model of ours, one of a structure that its config
/// alone does not make (AnyModel::structure), or too large for this machine.
std::unique_ptr<AnyModel> load_model(const std::string& run_dir_or_file);

/// The config of that model alone, with the same checks; its weights are not read.
ModelConfig load_checkpoint_config(const std::string& run_dir_or_file);

/// Copies the parameters in a file (or a run's folder) into a model of the same structure: everything that changes what the
/// parameters mean must be equal; dropout, recomputation and first values may differ, and so may the length where no
/// position is learned. Throws Error naming both models and the first difference; the model is then as it was.
void load_parameters(const std::string& run_dir_or_file, AnyModel& model);

}  // namespace megalith
