// SPDX-License-Identifier: Apache-2.0
// The boundary at which a program meets a model: what it refuses, in a sentence.
#include "megalith/models/decoder_model.h"

#include <gtest/gtest.h>

#include "megalith/models/decoders.h"
#include "support/configs.h"
#include "support/temporary_folder.h"

namespace megalith::tests {
namespace {

class DecoderModelTest : public ::testing::Test {
 protected:
  DecoderModelTest()
      : model_(make_model(config_named("megabyte"))), workspace_(2), ctx_(workspace_), bytes_(64, 7), losses_(64) {
    model_->init(RandomKey{1});
  }
  Bytes batch(Index B, Index T) const { return {bytes_.data(), B, T}; }

  std::unique_ptr<AnyModel> model_;
  Workspace workspace_;
  Context ctx_;
  std::vector<std::uint8_t> bytes_;
  std::vector<float> losses_, logits_ = std::vector<float>(2 * kByteValues);
};

// The first losses of models whose branches start as the identity hang on the innermost inputs alone.
TEST_F(DecoderModelTest, ResidualInitScalesTheConditionToo) {
  const auto losses_of_second_patch = [&](double residual_init, std::uint8_t first_byte) {
    ModelConfig config = config_named("megabyte");
    config.residual_init = residual_init;
    const auto model = make_model(config);
    model->init(RandomKey{1});
    bytes_[0] = first_byte;
    model->score(ctx_, batch(1, 8), losses_);
    return std::vector<float>(losses_.begin() + 4, losses_.begin() + 8);
  };
  EXPECT_EQ(losses_of_second_patch(0, 7), losses_of_second_patch(0, 8));
  EXPECT_NE(losses_of_second_patch(1, 7), losses_of_second_patch(1, 8));
}

TEST_F(DecoderModelTest, RefusesShapes) {
  EXPECT_ERROR(model_->score(ctx_, batch(1, 36), losses_), "sequence length 36 exceeds the model's 32");
  EXPECT_ERROR(model_->score(ctx_, batch(1, 7), losses_), "multiple of the patch size 4");
  EXPECT_ERROR(model_->make_tape({0, 8}), "at least one sequence");
  EXPECT_ERROR(model_->score(ctx_, batch(2, 24), std::span(losses_).first(47)), "48 are needed");
  EXPECT_ERROR(model_->make_state(0), "not for 0");
  EXPECT_ERROR(model_->make_state(1, -1), "room for -1");
  EXPECT_ERROR(model_->make_state(1, 33), "the model reads at most 32 bytes, and a state with room for 33 is asked for");
}

TEST_F(DecoderModelTest, RefusesWhatAnotherModelMade) {
  ModelConfig wider = config_named("megabyte");
  wider.scales[1].stack.width = 24;
  const auto other = make_model(wider);
  const auto grad = model_->clone(), wide_grad = other->clone();
  const auto tape = model_->make_tape({2, 24}), wide_tape = other->make_tape({2, 24});
  EXPECT_ERROR(model_->train(ctx_, batch(2, 24), 1, losses_, *wide_grad, *tape), "a clone");
  EXPECT_ERROR(model_->train(ctx_, batch(2, 24), 1, losses_, *model_, *tape), "a clone");
  EXPECT_ERROR(model_->train(ctx_, batch(2, 24), 1, losses_, *grad, *wide_tape), "another config");
  EXPECT_ERROR(model_->train(ctx_, batch(1, 24), 1, losses_, *grad, *tape), "make_tape");
  const auto state = other->make_state(1);
  EXPECT_ERROR(model_->next(ctx_, *state, logits_), "another config");
}

TEST_F(DecoderModelTest, NextAndAcceptTakeTurns) {
  const auto state = model_->make_state(2);
  EXPECT_ERROR(model_->accept(std::span(bytes_).first(2), *state), "call next() first");
  model_->next(ctx_, *state, logits_);
  EXPECT_ERROR(model_->next(ctx_, *state, logits_), "next() was called already");
  EXPECT_ERROR(model_->accept(std::span(bytes_).first(1), *state), "2 sequences");
  model_->accept(std::span(bytes_).first(2), *state);
  EXPECT_ERROR(model_->next(ctx_, *state, std::span(logits_).first(256)), "512 are needed");
  EXPECT_ERROR(model_->read(ctx_, batch(1, 3), *state), "2 sequences");
  EXPECT_ERROR(model_->read(ctx_, batch(2, 32), *state), "at most 32");
  model_->read(ctx_, batch(2, 31), *state);
  EXPECT_ERROR(model_->next(ctx_, *state, logits_), "has read its 32 bytes");
}

TEST_F(DecoderModelTest, RefusesAConfigOfAnotherStructure) {
  EXPECT_ERROR(DecoderModel<Megabyte<float>>{config_named("vanilla")}, "has 2 scales, and the config 1");
}

}  // namespace
}  // namespace megalith::tests
