// SPDX-License-Identifier: Apache-2.0
// Makes a kind of block out of its config: for the one file that defines or registers the kind.
#pragma once

#include "megalith/nn/block_kind.h"

namespace megalith {

namespace detail {

template <BlockSettings C>
class KindOf final : public BlockKind {
  template <class S>
  using Block = typename C::template Block<S>;

 public:
  std::string_view name() const override { return C::kKind; }
  std::any defaults() const override { return C{}; }
  bool equal(const std::any& a, const std::any& b) const override { return *std::any_cast<C>(&a) == *std::any_cast<C>(&b); }
  void visit_fields(std::any& settings, FieldVisitor& visitor) const override {
    C::visit_fields(*std::any_cast<C>(&settings), [&](const char* name, auto& value) { visitor.field(name, value); });
  }
  BlockConfig with_defaults(const StackConfig& stack) const override { return stack.block.as<C>().with_defaults(stack); }
  void list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const override {
    stack.block.as<C>().list_problems(stack, at, problems);
    if constexpr (!requires { C::kChunks; })
      problems.unless(stack.chunk == 0, at, " has cross-patch attention around it, which blocks of the kind \"", C::kKind,
                      "\" do not have; set cross_patch to 0");
  }
  AnyModule<float> block(const StackConfig& c, Index layer) const override {
    static_assert(Module<Block<float>>);
    return AnyModule<float>(Block<float>(c, layer));
  }
  AnyModule<float> final_norm(const StackConfig& c) const override { return AnyModule<float>(Block<float>::final_norm(c)); }
  AnyModule<ShapeOnly> block_shape(const StackConfig& c, Index layer) const override {
    return AnyModule<ShapeOnly>(Block<ShapeOnly>(c, layer));
  }
  AnyModule<ShapeOnly> final_norm_shape(const StackConfig& c) const override {
    return AnyModule<ShapeOnly>(Block<ShapeOnly>::final_norm(c));
  }
};

}  // namespace detail

template <BlockSettings C>
const BlockKind& block_kind_of() {
  static const detail::KindOf<C> kind;
  return kind;
}

}  // namespace megalith
