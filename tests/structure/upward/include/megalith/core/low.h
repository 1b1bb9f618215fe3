// SPDX-License-Identifier: Apache-2.0
// A mistake on purpose: tests that check_includes.cmake notices it.
#pragma once

#include "megalith/nn/high.h"
