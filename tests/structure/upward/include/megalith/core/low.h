// SPDX-License-Identifier: Apache-2.0
// Mistakes on purpose: tests that check_includes.cmake notices it.
#pragma once

#include <nlohmann/json.hpp>

#include "megalith/nn/high.h"
