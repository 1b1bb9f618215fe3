// SPDX-License-Identifier: Apache-2.0
// Where a verb may write.
#pragma once

#include <string>

#include "megalith/train/corpus.h"

namespace megalith::tool {

/// Refuses to write where something lies that is to be read: the file of a corpus (null: there is none), or one of a run;
/// and where the command prints to.
void check_is_no_input(const char* option, const std::string& path, const std::string& checkpoint, const Corpus* corpus);

}  // namespace megalith::tool
