// SPDX-License-Identifier: Apache-2.0
// A model's State: windows chained through it, and the State itself saved, loaded, copied, started over.
#include <gtest/gtest.h>

#include <cstring>

#include "megalith/models/any_model.h"
#include "support/forward.h"
#include "support/small_models.h"
#include "support/temporary_folder.h"

namespace megalith::tests {
namespace {

std::vector<std::uint8_t> random_bytes(Index n, std::uint64_t seed = 8) {
  std::vector<std::uint8_t> bytes;
  for (Index i = 0; i < n; ++i)
    bytes.push_back(static_cast<std::uint8_t>(random_bits({seed}, static_cast<std::uint64_t>(i))));
  return bytes;
}

class DecoderState : public ::testing::TestWithParam<NamedConfig> {
 protected:
  static constexpr Index kB = 3, kT = 24, kCut = 8, kRest = kT - kCut;

  DecoderState() : workspace_(2), ctx_(workspace_), bytes_(random_bytes(kB * kT)) {
    NamedConfig c = GetParam();
    c.config.init_std = 0.3;
    c.config.residual_init = 1;
    model_ = make_small(c);
    ctx_.mode = Mode::train;  // with dropout
    ctx_.key = RandomKey{3};
  }

  std::vector<std::uint8_t> columns(Index begin, Index count) const {
    std::vector<std::uint8_t> some;
    for (Index b = 0; b < kB; ++b)
      some.insert(some.end(), bytes_.begin() + b * kT + begin, bytes_.begin() + b * kT + begin + count);
    return some;
  }
  std::unique_ptr<AnyModel> no_gradient() const {
    auto grad = model_->clone();
    for (const Parameter& p : grad->parameters()) p.tensor->fill(0);
    return grad;
  }
  /// Logits of the byte after what a state has read.
  std::vector<float> logits(AnyState& state) const {
    std::vector<float> z(static_cast<std::size_t>(state.batch() * kByteValues));
    model_->next(Context(workspace_), state, z);
    return z;
  }
  void read(AnyState& state, Index begin, Index count) const {
    const auto some = columns(begin, count);
    model_->read(Context(workspace_), {some.data(), kB, count}, state);
  }
  /// What loading these bytes says, and that it leaves the state as it was.
  std::string refusal(AnyState& state, const std::vector<std::byte>& saved) const {
    const std::vector<std::byte> before = state.save();
    const std::string message = error_of([&] { state.load(saved); });
    EXPECT_EQ(state.save(), before);
    return message;
  }

  mutable Workspace workspace_;
  Context ctx_;
  std::vector<std::uint8_t> bytes_;
  std::unique_ptr<AnyModel> model_;
};

INSTANTIATE_TEST_SUITE_P(Configs, DecoderState, ::testing::ValuesIn(unusual_configs()),
                         [](const auto& info) { return info.param.name; });

void expect_close(std::span<const float> got, std::span<const float> wanted, const std::string& what) {
  ASSERT_EQ(got.size(), wanted.size());
  float largest = 0.01f;
  for (const float w : wanted) largest = std::max(largest, std::abs(w));
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], wanted[i], 3e-5f * largest) << what << ", number " << i;
}

TEST_P(DecoderState, ScoreInWindowsIsScoreOfTheWhole) {
  std::vector<float> whole(kB * kT);
  model_->score(ctx_, {bytes_.data(), kB, kT}, whole);
  const auto state = model_->make_state(kB, kT);
  for (Index begin = 0; begin < kT; begin += kCut) {
    const auto window = columns(begin, kCut);
    std::vector<float> losses(kB * kCut), wanted;
    model_->score(ctx_, {window.data(), kB, kCut}, losses, state.get());
    for (Index b = 0; b < kB; ++b)
      wanted.insert(wanted.end(), whole.data() + b * kT + begin, whole.data() + b * kT + begin + kCut);
    expect_close(losses, wanted, "losses from " + std::to_string(begin));
    EXPECT_EQ(state->position(), begin + kCut);
  }
}

/// With L the sum of all losses: the windows in turn, and back.
TEST_P(DecoderState, TrainInWindowsIsTrainOnTheWhole) {
  std::vector<float> whole(kB * kT), first(kB * kCut), second(kB * kRest);
  const auto whole_grad = no_gradient(), grad = no_gradient();
  model_->train(ctx_, {bytes_.data(), kB, kT}, 0.5f, whole, *whole_grad, *model_->make_tape({kB, kT}));

  const auto head = columns(0, kCut), tail = columns(kCut, kRest);
  const auto start = model_->make_state(kB, kT);
  const auto middle = start->clone();
  model_->score(ctx_, {head.data(), kB, kCut}, first, middle.get());
  const auto dstate = middle->clone();
  dstate->set_zero();
  model_->train(ctx_, {tail.data(), kB, kRest}, 0.5f, second, *grad, *model_->make_tape({kB, kRest}), middle.get(),
                dstate.get());
  model_->train(ctx_, {head.data(), kB, kCut}, 0.5f, first, *grad, *model_->make_tape({kB, kCut}), start.get(),
                dstate.get());
  EXPECT_EQ(middle->position(), kT);
  EXPECT_EQ(start->position(), kCut);

  std::vector<float> joined;
  for (Index b = 0; b < kB; ++b) {
    joined.insert(joined.end(), first.data() + b * kCut, first.data() + (b + 1) * kCut);
    joined.insert(joined.end(), second.data() + b * kRest, second.data() + (b + 1) * kRest);
  }
  expect_close(joined, whole, "losses");
  const auto parameters = grad->parameters(), wanted = whole_grad->parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i)
    expect_close(parameters[i].tensor->span(), wanted[i].tensor->span(), parameters[i].name);
}

TEST_P(DecoderState, SavedAndLoadedItGoesOnToTheSameBits) {
  for (const Index read_first : {0, 1, 7, 8, 13}) {
    for (const bool asked : {false, true}) {
      const auto state = model_->make_state(kB, kT);
      read(*state, 0, read_first);
      if (asked) logits(*state);
      const auto loaded = model_->make_state(kB, kT);
      read(*loaded, 3, 11);  // what was there before is gone
      loaded->load(state->save());
      EXPECT_EQ(loaded->save(), state->save());
      const auto copy = state->clone();
      for (AnyState* s : {state.get(), loaded.get(), copy.get()}) {
        EXPECT_EQ(s->position(), read_first);
        EXPECT_EQ(s->batch(), kB);
        if (asked) model_->accept(columns(read_first, 1), *s);
        else read(*s, read_first, 1);
        read(*s, read_first + 1, 3);
      }
      const std::vector<float> wanted = logits(*state);
      EXPECT_EQ(logits(*loaded), wanted) << read_first << asked;
      EXPECT_EQ(logits(*copy), wanted) << read_first << asked;
      model_->accept(columns(read_first + 4, 1), *loaded);
      EXPECT_EQ(loaded->position(), read_first + 5);
    }
  }
}

TEST_P(DecoderState, ResetForgets) {
  const auto fresh = model_->make_state(kB, kT), used = model_->make_state(kB, kT);
  read(*used, 0, 13);
  logits(*used);
  used->reset();
  EXPECT_EQ(used->position(), 0);
  for (AnyState* s : {fresh.get(), used.get()}) read(*s, 2, 5);
  EXPECT_EQ(logits(*used), logits(*fresh));
}

TEST_P(DecoderState, RefusesBytesOfAnother) {
  const auto state = model_->make_state(kB, kT);
  read(*state, 0, 9);
  const std::string damaged = "the bytes are not a saved state of this model, batch and room";
  const auto refused = [&](const std::vector<std::byte>& saved) {
    const std::string message = refusal(*state, saved);
    return message.find(damaged) != std::string::npos;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused(model_->make_state(kB + 1, kT)->save()));
  const std::vector<std::byte> smaller = model_->make_state(kB, 8)->save();
  if (smaller.size() != state->save().size()) {  // windows of attention need no more room than they have
    EXPECT_TRUE(refused(smaller)) << "of another room";
  }
  for (const NamedConfig& other : unusual_configs()) {
    if (other.name == GetParam().name) continue;
    EXPECT_TRUE(refused(make_model(other.config)->make_state(kB, kT)->save())) << other.name;
  }
  std::vector<std::byte> saved = state->save();
  for (const std::size_t less : {std::size_t{1}, std::size_t{8}, saved.size() / 2, saved.size() - 1})
    EXPECT_TRUE(refused({saved.begin(), saved.end() - static_cast<std::ptrdiff_t>(less)})) << less << " bytes less";
  saved.push_back({});
  EXPECT_TRUE(refused(saved)) << "a byte more";
}

/// The ends of the names of fields that are no whole numbers.
constexpr const char* kTensors[] = {"kv", "_sums", ".rows", ".mean", ".var", ".s", "condition"};

/// Each field of whole numbers set to what cannot be.
TEST_P(DecoderState, RefusesNumbersThatCannotBe) {
  const auto state = model_->make_state(kB, kT);
  read(*state, 0, 9);
  const std::vector<std::byte> saved = state->save();
  const std::string fields(reinterpret_cast<const char*>(saved.data()));  // "name COUNTxSIZE\n" for each field
  std::size_t at = fields.size() + 1, line = 0, spoiled = 0;
  while (line < fields.size()) {
    const std::size_t end = fields.find('\n', line), space = fields.find(' ', line), times = fields.find('x', space);
    const std::string name = fields.substr(line, space - line);
    const std::size_t count = std::stoul(fields.substr(space + 1)), size = std::stoul(fields.substr(times + 1));
    const bool is_tensor =
        std::any_of(std::begin(kTensors), std::end(kTensors), [&](const char* end) { return name.ends_with(end); });
    if (!is_tensor && count > 0) {
      for (const std::int64_t wrong : {std::int64_t{-7}, std::int64_t{1000}}) {
        std::vector<std::byte> bad = saved;
        std::memcpy(bad.data() + at, &wrong, size);
        EXPECT_NE(refusal(*state, bad), "") << name << " = " << wrong;
        ++spoiled;
      }
    }
    at += count * size;
    line = end + 1;
  }
  EXPECT_EQ(at, saved.size());
  EXPECT_GE(spoiled, 10u);  // of the history, of a block, and whether next() was called
}

TEST_P(DecoderState, TrainAndScoreGoOnFromWholePatches) {
  if (model_->unit() == 1) GTEST_SKIP() << "every byte is a patch";
  const auto state = model_->make_state(kB, kT);
  std::vector<float> losses(kB * kCut);
  read(*state, 0, 1);
  const auto score = [&] { model_->score(ctx_, {bytes_.data(), kB, kCut}, losses, state.get()); };
  EXPECT_ERROR(score(), "the state is inside a patch, after 1 bytes");
  state->reset();
  logits(*state);
  EXPECT_ERROR(score(), "the state is inside a patch, after 0 bytes");
  state->reset();
  score();
  score();
  score();
  EXPECT_ERROR(score(), "the model reads at most 24 bytes, and 32 were given");
}

}  // namespace
}  // namespace megalith::tests
