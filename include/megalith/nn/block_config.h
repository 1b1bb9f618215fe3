// SPDX-License-Identifier: Apache-2.0
// What the blocks of a stack are made from: the config of one of several kinds.
#pragma once

#include <any>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "megalith/core/check.h"
#include "megalith/core/fields.h"
#include "megalith/core/problems.h"

namespace megalith {

class BlockKind;
struct StackConfig;

/// The config of a kind of block: a struct with fields, their list, and its name in files.
///
/// ```
///   static constexpr const char* kKind = "transformer";
///   static constexpr bool kChunks = true;                   optional: its blocks see StackConfig::chunk and overlap
///   template <class S> using Block = TransformerBlock<S>;   a Module, over ShapeOnly too but for the calls that compute;
///                                                           Block<S>(const StackConfig&, Index layer);
///                                                           Block<S>::FinalNorm, made by Block<S>::final_norm(StackConfig)
///   template <class C, class F> static void visit_fields(C& c, F&& f);
///   void list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const;   the stack's own
///   numbers
///                                                           may be out of range; names begin with `at`.KIND.
///   C with_defaults(const StackConfig& stack) const;   equal for configs whose parameters mean the same
/// ```
template <class C>
concept BlockSettings = requires {
  { C::kKind } -> std::convertible_to<std::string_view>;
}
&&std::copyable<C>&& std::equality_comparable<C>;

/// The kind that a type of config stands for. nn/define_block_kind.h defines it, for the file that registers the kind; a
/// program of several files declares it `extern template` beside the config and instantiates it in one of them, as is done
/// for TransformerConfig.
template <BlockSettings C>
const BlockKind& block_kind_of();

/// A value that holds the config of any kind of block.
class BlockConfig {
 public:
  template <BlockSettings C>
  BlockConfig(C settings) : settings_(std::move(settings)), kind_(&block_kind_of<C>()) {}
  /// The kinds that can be named (block_kinds()).
  static std::vector<const BlockKind*> kinds();
  /// That kind with its defaults.
  explicit BlockConfig(const BlockKind& kind);

  const BlockKind& kind() const { return *kind_; }
  /// The name of the kind, as in files.
  std::string_view name() const;

  /// The settings as what they are; null where they are those of another kind.
  template <BlockSettings C>
  const C* get_if() const {
    return std::any_cast<C>(&settings_);
  }
  /// Throws Error where they are those of another kind.
  template <BlockSettings C>
  const C& as() const {
    check(get_if<C>() != nullptr, "the blocks of the stack are of the kind \"", name(), "\", and \"", C::kKind,
          "\" is asked for");
    return *get_if<C>();
  }
  template <BlockSettings C>
  C& as() {
    return const_cast<C&>(std::as_const(*this).template as<C>());
  }

  std::any& settings() { return settings_; }
  const std::any& settings() const { return settings_; }
  bool operator==(const BlockConfig& other) const;

 private:
  std::any settings_;
  const BlockKind* kind_;
};

/// All kinds that can be named in files: the library's, then those that register_block() added, in the order of their names'
/// arrival.
std::vector<const BlockKind*> block_kinds();
/// Makes a kind known under its name: to files, checkpoints, and everything that goes by them. Registering it again does
/// nothing. Throws Error where another kind or a field of a stack has that name. Thread-safe.
void register_block(const BlockKind& kind);
template <BlockSettings C>
void register_block() {
  register_block(block_kind_of<C>());
}

}  // namespace megalith
