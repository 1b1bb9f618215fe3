// SPDX-License-Identifier: Apache-2.0
// How the named models are trained, unless somebody says otherwise.
#pragma once

#include <string_view>

#include "megalith/train/train_config.h"

namespace megalith {

/// The learning rate, schedule and batch with which a model of models/zoo.h learned best in some minutes on two cores;
/// bench/README.md has the table of what was tried. Other names get the defaults of TrainConfig.
TrainConfig recipe(std::string_view model);

}  // namespace megalith
