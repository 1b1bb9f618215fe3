// SPDX-License-Identifier: Apache-2.0
// The float models, compiled once for all kinds of blocks, and the choice between them at run time.
#include "megalith/models/any_model.h"

#include <cxxabi.h>

#include <cstdlib>
#include <typeinfo>

#include "megalith/models/decoder_model.h"
#include "megalith/models/decoders.h"

namespace megalith {

template struct Stack<AnyModule<float>>;
template struct Flat<AnyModule<float>>;
template struct Patched<AnyModule<float>, Flat<AnyModule<float>>>;
template struct Patched<AnyModule<float>, Patched<AnyModule<float>, Flat<AnyModule<float>>>>;

/// f(a value of the decoder's type) for the decoder that a config describes.
template <class F>
static auto with_decoder(const ModelConfig& config, F&& f) {
  using One = Flat<AnyModule<float>>;
  using Two = Patched<AnyModule<float>, One>;
  using Three = Patched<AnyModule<float>, Two>;
  switch (config.scales.size()) {
    case 1:
      return f(std::type_identity<One>());
    case 2:
      return f(std::type_identity<Two>());
    case 3:
      return f(std::type_identity<Three>());
    default:
      throw Error(text("a model has one to three scales, not ", config.scales.size()));
  }
}

std::string detail::name_of(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  return name ? name.get() : type.name();
}

std::string AnyModel::structure() const { return detail::name_of(typeid(*this)); }

std::unique_ptr<ModelSummary> make_summary(const ModelConfig& config) {
  config.validate();
  return with_decoder(config, [&]<class D>(std::type_identity<D>) -> std::unique_ptr<ModelSummary> {
    return std::make_unique<DecoderSummary<D>>(config);
  });
}

std::unique_ptr<AnyModel> make_model(const ModelConfig& config) {
  const double parameters = make_summary(config)->parameter_count();
  check_memory(text("a model of ", static_cast<std::int64_t>(parameters), " parameters"), parameters * sizeof(float));
  return with_decoder(config, [&]<class D>(std::type_identity<D>) -> std::unique_ptr<AnyModel> {
    return std::make_unique<DecoderModel<D>>(config);
  });
}

}  // namespace megalith
