// SPDX-License-Identifier: Apache-2.0
#include "../nn/own.h"
