// SPDX-License-Identifier: Apache-2.0
// A kind of block, for whoever knows it by its name alone.
#pragma once

#include <any>

#include "megalith/nn/any_module.h"
#include "megalith/nn/block_config.h"
#include "megalith/nn/stack_config.h"

namespace megalith {

/// Makes blocks and the norm at a stack's end from a config of this kind.
class BlockKind {
 public:
  virtual ~BlockKind() = default;
  virtual std::string_view name() const = 0;

  virtual std::any defaults() const = 0;
  virtual bool equal(const std::any& a, const std::any& b) const = 0;
  virtual void visit_fields(std::any& settings, FieldVisitor& visitor) const = 0;
  /// The settings of a stack with defaults filled in, equal where parameters mean the same.
  virtual BlockConfig with_defaults(const StackConfig& stack) const = 0;
  /// What is wrong with the settings of a stack at the path `at`, beside what StackConfig finds itself.
  virtual void list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const = 0;

  /// Block number `layer` of a stack, and the norm at the stack's end; with numbers, and without.
  virtual AnyModule<float> block(const StackConfig& stack, Index layer) const = 0;
  virtual AnyModule<float> final_norm(const StackConfig& stack) const = 0;
  virtual AnyModule<ShapeOnly> block_shape(const StackConfig& stack, Index layer) const = 0;
  virtual AnyModule<ShapeOnly> final_norm_shape(const StackConfig& stack) const = 0;

  template <class S>
  AnyModule<S> make_block(const StackConfig& stack, Index layer) const {
    if constexpr (std::same_as<S, ShapeOnly>) return block_shape(stack, layer);
    else return block(stack, layer);
  }
  template <class S>
  AnyModule<S> make_final_norm(const StackConfig& stack) const {
    if constexpr (std::same_as<S, ShapeOnly>) return final_norm_shape(stack);
    else return final_norm(stack);
  }
};

}  // namespace megalith
