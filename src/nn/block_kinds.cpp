// SPDX-License-Identifier: Apache-2.0
// The kinds of blocks that files can name.
#include <algorithm>
#include <mutex>

#include "megalith/nn/block_kind.h"
#include "megalith/nn/linear_transformer_config.h"
#include "megalith/nn/mega_config.h"
#include "megalith/nn/megalodon_config.h"
#include "megalith/nn/perceiver_config.h"
#include "megalith/nn/transformer_config.h"

namespace megalith {
namespace {

struct Registry {
  std::mutex mutex;
  /// The library's own kinds: a new one is an entry here.
  std::vector<const BlockKind*> kinds{&block_kind_of<TransformerConfig>(), &block_kind_of<LinearTransformerConfig>(),
                                      &block_kind_of<PerceiverConfig>(), &block_kind_of<MegalodonConfig>(),
                                      &block_kind_of<MegaConfig>()};
};

Registry& registry() {
  static Registry all;
  return all;
}

}  // namespace

BlockConfig::BlockConfig(const BlockKind& kind) : settings_(kind.defaults()), kind_(&kind) {}

std::vector<const BlockKind*> BlockConfig::kinds() { return block_kinds(); }

std::string_view BlockConfig::name() const { return kind_->name(); }

bool BlockConfig::operator==(const BlockConfig& other) const {
  return kind_ == other.kind_ && kind_->equal(settings_, other.settings_);
}

std::vector<const BlockKind*> block_kinds() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  return all.kinds;
}

void register_block(const BlockKind& kind) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  if (std::find(all.kinds.begin(), all.kinds.end(), &kind) != all.kinds.end()) return;
  StackConfig stack;
  StackConfig::visit_fields(stack, [&](const char* field, const auto&) {
    check(kind.name() != field, "a kind of block cannot be named \"", field, "\", which is a field of the stack");
  });
  const bool taken =
      std::any_of(all.kinds.begin(), all.kinds.end(), [&](const BlockKind* k) { return k->name() == kind.name(); });
  check(!taken, "there is a kind of block named \"", kind.name(), "\" already; give yours another name");
  all.kinds.push_back(&kind);
}

}  // namespace megalith
