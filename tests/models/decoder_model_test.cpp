// SPDX-License-Identifier: Apache-2.0
// The boundary at which a program meets a model: what it refuses, in a sentence.
#include "megalith/models/decoder_model.h"

#include <gtest/gtest.h>

#include "support/decoders.h"
#include "support/temporary_folder.h"

namespace megalith::tests {
namespace {

class ModelOfTest : public ::testing::Test {
 protected:
  ModelOfTest() : model_(make_model(paper_config())), workspace_(2), ctx_(workspace_), bytes_(48, 7), losses_(48) {
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
TEST_F(ModelOfTest, ResidualInitScalesTheConditionToo) {
  const auto costs_of_second_patch = [&](double residual_init, std::uint8_t first_byte) {
    ModelConfig config = paper_config();
    config.residual_init = residual_init;
    const auto model = make_model(config);
    model->init(RandomKey{1});
    bytes_[0] = first_byte;
    model->score(ctx_, batch(1, 8), losses_);
    return std::vector<float>(losses_.begin() + 4, losses_.begin() + 8);
  };
  EXPECT_EQ(costs_of_second_patch(0, 7), costs_of_second_patch(0, 8));
  EXPECT_NE(costs_of_second_patch(1, 7), costs_of_second_patch(1, 8));
}

TEST_F(ModelOfTest, RefusesShapes) {
  EXPECT_ERROR(model_->score(ctx_, batch(1, 28), losses_), "28");
  EXPECT_ERROR(model_->score(ctx_, batch(1, 7), losses_), "multiple of the patch size 4");
  EXPECT_ERROR(model_->make_tape({0, 8}), "at least one sequence");
  EXPECT_ERROR(model_->score(ctx_, batch(2, 24), std::span(losses_).first(47)), "48 are needed");
  EXPECT_ERROR(model_->make_state(0), "not for 0");
}

TEST_F(ModelOfTest, RefusesWhatAnotherModelMade) {
  ModelConfig wider = paper_config();
  wider.scales[1].stack.width = 16;
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

TEST_F(ModelOfTest, NextAndAcceptTakeTurns) {
  const auto state = model_->make_state(2);
  EXPECT_ERROR(model_->accept(std::span(bytes_).first(2), *state), "call next() first");
  model_->next(ctx_, *state, logits_);
  EXPECT_ERROR(model_->next(ctx_, *state, logits_), "next() was called already");
  EXPECT_ERROR(model_->accept(std::span(bytes_).first(1), *state), "2 sequences");
  model_->accept(std::span(bytes_).first(2), *state);
  EXPECT_ERROR(model_->next(ctx_, *state, std::span(logits_).first(256)), "512 are needed");
  EXPECT_ERROR(model_->read(ctx_, batch(1, 3), *state), "2 sequences");
  EXPECT_ERROR(model_->read(ctx_, batch(2, 24), *state), "at most 24");
  model_->read(ctx_, batch(2, 23), *state);
  EXPECT_ERROR(model_->next(ctx_, *state, logits_), "has read its 24 bytes");
}

TEST_F(ModelOfTest, RefusesAConfigOfAnotherStructure) {
  EXPECT_ERROR(DecoderModel<Megabyte<float>>{vanilla_config()}, "has 2 scales, and the config 1");
}

}  // namespace
}  // namespace megalith::tests
