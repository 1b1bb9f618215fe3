// SPDX-License-Identifier: Apache-2.0
// The decoders of make_model(), over AnyModule: what can be checked in float, and that a virtual call changes no bit.
#include "megalith/models/any_model.h"
#include "megalith/nn/mega_block.h"
#include "megalith/nn/megalodon_block.h"
#include "support/decoders.h"

namespace megalith::tests {
namespace {

template <class Maker>
class AnyDecoder : public ::testing::Test {};
using Makers = ::testing::Types<AnyFlatMaker, AnyPatchedMaker, AnyThreeScaleMaker>;
TYPED_TEST_SUITE(AnyDecoder, Makers);

TYPED_TEST(AnyDecoder, Repeatable) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    expect_equal_bits(testing::check_decoder_repeatable<float>(make, {.shape = {2, 16}}, true));
  });
}

TYPED_TEST(AnyDecoder, Chunks) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    expect_below(testing::check_decoder_chunks<float>(make, {.shape = {3, 24}}, 8), 2e-5);
  });
}

TYPED_TEST(AnyDecoder, Steps) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    expect_below(testing::check_decoder_steps<float>(make, {.shape = {2, 24}}), 2e-5);
  });
}

TYPED_TEST(AnyDecoder, Threads) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    expect_equal_bits(testing::check_decoder_threads<float>(make, {.shape = {90, 24}}, {2, 7}));
  });
}

template <class Plain>
void expect_same_as(const NamedConfig& c) {
  SCOPED_TRACE(c.name);
  const Shape shape{3, 24};
  const auto bytes = testing::draw_bytes(shape.rows(), RandomKey{4});
  Workspace workspace(2);
  const Context ctx = testing::context_of({}, workspace);
  const auto make = [&]<class S>() { return Plain(c.config, 0); };
  const auto plain = testing::run_decoder(ctx, testing::draw_decoder<float>(make, {}), bytes, shape, {});

  const auto model = make_model(c.config), grad = make_model(c.config);
  std::uint64_t n = 0;
  for (const Parameter& p : model->parameters()) testing::fill_noise(*p.tensor, RandomKey{Trial{}.seed}.child(0).child(n++));
  for (const Parameter& p : grad->parameters()) p.tensor->fill(0);
  Tensor<float> losses({shape.B, shape.T});
  model->train(ctx, {bytes.data(), shape.B, shape.T}, static_cast<float>(testing::kLossScale), losses.span(), *grad,
               *model->make_tape(shape));
  EXPECT_EQ(testing::bit_error(losses, plain.losses), 0);
  const std::vector<Parameter> parameters = grad->parameters();
  std::size_t i = 0;
  for_each_parameter(plain.grad, [&](const Name& name, const Tensor<float>& g) {
    ASSERT_LT(i, parameters.size());
    EXPECT_EQ(parameters[i].name, name.str());
    EXPECT_EQ(parameters[i].role, name.role) << name.str();
    EXPECT_EQ(testing::bit_error(*parameters[i++].tensor, g), 0) << name.str();
  });
  EXPECT_EQ(i, parameters.size());
}

/// Of the configs with that number of scales, each is of one of the types.
template <class... Plain>
void expect_same_as_their_type(std::size_t scales) {
  const auto test = [&]<class D>(std::type_identity<D>, const NamedConfig& c) {
    const bool of_type = detail::IsOfConfig<D>::at(c.config, 0);
    if (of_type) expect_same_as<D>(c);
    return of_type ? 1 : 0;
  };
  for (const NamedConfig& c : unusual_configs(scales)) EXPECT_EQ((test(std::type_identity<Plain>{}, c) + ...), 1) << c.name;
}

using MegalodonFlat = Flat<MegalodonBlock<float>>;
using MegaFlat = Flat<MegaBlock<float>>;

TEST(AnyDecoder, BitsNamesAndRolesAreThoseOfADecoderOfOneKind) {
  expect_same_as_their_type<Vanilla<float>, PerceiverAr<float>, LinearFlat<float>, MegalodonFlat, MegaFlat>(1);
  expect_same_as_their_type<Megabyte<float>, Patched<PerceiverBlock<float>, PerceiverAr<float>>, LinearMegabyte<float>,
                            Patched<MegalodonBlock<float>, MegalodonFlat>, Patched<MegaBlock<float>, MegaFlat>>(2);
}

}  // namespace
}  // namespace megalith::tests
