// SPDX-License-Identifier: Apache-2.0
// What a moving average carries from earlier rows to later ones.
#pragma once

#include "megalith/nn/module.h"

namespace megalith {

template <class S>
struct EmaState {
  Tensor<S> s;  // (B, numbers of the states of a channel, D); empty when closed

  EmaState() = default;
  template <class M>
  EmaState(const M& m, Index B, Index room = 0) {
    if (room > 0 && m.state_numbers() > 0) s = Tensor<S>({B, m.state_numbers(), m.in_channels()});
  }
  bool open() const { return !s.empty(); }
  S* data() { return open() ? s.data() : nullptr; }
  void reset(Index = 0) { s.fill(S(0)); }
  bool valid(Index) const { return true; }
  template <class F, class... St>
  static void visit(const Name& at, F&& f, St&... state) {
    if ((state.open() || ...)) f(Name{&at, "s"}, state.s...);
  }
  template <class F, class... St>
  static void visit_all(const Name& at, F&& f, St&... state) {
    visit(at, f, state...);
  }
};

}  // namespace megalith
