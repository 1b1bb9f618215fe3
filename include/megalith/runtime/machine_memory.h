// SPDX-License-Identifier: Apache-2.0
// How much memory there is.
#pragma once

namespace megalith {

/// Bytes of memory of this machine; infinite where the system does not tell.
double machine_memory();

}  // namespace megalith
