// SPDX-License-Identifier: Apache-2.0
// megalith flops: what a byte costs in matrix products, part by part, by architecture and length.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "../page/numbers.h"
#include "../page/utf8.h"
#include "figure_3.h"
#include "megalith/core/check.h"
#include "megalith/io/config_file.h"
#include "megalith/models/zoo.h"
#include "options.h"
#include "table.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using page::grouped, page::one_line;

constexpr const char* kConventions =
    "Matrix products of a forward pass: a multiply-add counts two; attention counts the pairs of positions that it needs\n"
    "(j <= i), linear attention its running sums instead; norms, activations and softmax count nothing.\n"
    "Backward costs twice the forward pass, so training costs three times as much.\n";

const std::vector<Index> kLengths{1024, 4096, 16384, 65536, 262144, 1048576};

struct FlopsOptions {
  std::vector<std::string> models;
  std::vector<Index> lengths;
  bool json = false;
};

/// A model at one length, everything per byte that training predicts.
struct Cost {
  Index length = 0;
  std::vector<FlopsPart> parts;
  double forward = 0;
};

struct CountedModel {
  ComparedModel model;
  std::vector<Cost> costs;
};

/// The lengths to count a model at. Those that were not asked for are cut to whole patches of the model.
std::vector<Index> lengths_for(const ComparedModel& m, const FlopsOptions& options) {
  const Index unit = make_summary(m.config)->unit();
  std::vector<Index> all;
  for (const Index length : options.lengths.empty() ? kLengths : options.lengths) {
    const Index whole = std::max(length / unit, Index{1}) * unit;
    check(options.lengths.empty() || length == whole, "--length ", length, " is not a multiple of the patch size ", unit,
          " of ", m.name, "; the nearest below is ", whole);
    if (std::find(all.begin(), all.end(), whole) == all.end()) all.push_back(whole);
  }
  return all;
}

Cost cost_of(const ComparedModel& m, Index length) {
  Cost cost{length, forward_flops_by_part(m, {1, length})};
  const double predicted = static_cast<double>(make_summary(m.config)->predicted(length));
  for (FlopsPart& part : cost.parts) cost.forward += part.flops /= predicted;
  return cost;
}

std::vector<CountedModel> count(const FlopsOptions& options) {
  std::vector<ComparedModel> models;
  for (const std::string& name : options.models) models.push_back({name, load_config(name)});
  std::vector<CountedModel> all;
  if (models.empty())
    for (const Figure3Size& size : figure_3())
      models.insert(models.end(), {size.megabyte, size.transformer, size.linear_transformer, size.nine_d_transformer});
  for (const ComparedModel& m : models) {
    all.push_back({m, {}});
    for (const Index length : lengths_for(m, options)) all.back().costs.push_back(cost_of(m, length));
  }
  return all;
}

std::string mega(double flops, int decimals) { return grouped(flops * 1e-6, decimals); }

/// One model: a row for each length, a column for each part.
void print_parts(const CountedModel& counted) {
  const auto cheaper = [](const Cost& a, const Cost& b) { return a.forward < b.forward; };
  const double least = std::min_element(counted.costs.begin(), counted.costs.end(), cheaper)->forward;
  const int decimals = least < 1e7 ? 3 : least < 1e8 ? 2 : 1;
  std::vector<std::vector<std::string>> rows{{"  length"}};
  for (const FlopsPart& part : counted.costs.front().parts) rows[0].push_back(part.name);
  rows[0].insert(rows[0].end(), {"forward", "training"});
  for (const Cost& cost : counted.costs) {
    rows.push_back({"  " + grouped(cost.length)});
    for (const FlopsPart& part : cost.parts) rows.back().push_back(mega(part.flops, decimals));
    rows.back().insert(rows.back().end(), {mega(cost.forward, decimals), mega(3 * cost.forward, decimals)});
  }
  std::printf("%s: %s\n%s\n", one_line(counted.model.name).c_str(), stacks_in_words(counted.model.config).c_str(),
              table(rows).c_str());
}

/// All models: a row for each, a column for each length, forward.
void print_comparison(const std::vector<CountedModel>& all) {
  std::vector<std::vector<std::string>> rows{{"forward, at length"}};
  for (const Cost& cost : all.front().costs) rows[0].push_back(grouped(cost.length));
  for (const CountedModel& counted : all) {
    rows.push_back({"  " + one_line(counted.model.name)});
    for (const Cost& cost : counted.costs) rows.back().push_back(mega(cost.forward, 0));
  }
  std::printf("%s\n", table(rows).c_str());
}

/// The claims of Yu et al. 2023 that are arithmetic, as they come out, and which of its sizes are names only.
void print_claims(const FlopsOptions& options) {
  const std::vector<Figure3Size> sizes = figure_3();
  double least = HUGE_VAL;
  for (const Figure3Size& size : sizes)
    for (const Index length : lengths_for(size.megabyte, options))
      for (const ComparedModel* other : {&size.transformer, &size.linear_transformer, &size.nine_d_transformer})
        least = std::min(least, cost_of(*other, length).forward / cost_of(size.megabyte, length).forward);
  const auto gpt3 = forward_flops_by_part(sizes.back().transformer, {1, 2048});
  const auto attention = [&](const ComparedModel& m) { return forward_flops_by_part(m, {1, 1024})[1].flops; };
  const Figure3Size& first = sizes.front();
  const ComparedModel paper_text{"", preset("paper-text").config};
  const Cost text_cost = cost_of(paper_text, paper_text.config.length);
  const auto weights = [&](const char* part, Index unit) {
    for (const FlopsPart& p : text_cost.parts)
      if (p.name == part) return p.flops / 2 * static_cast<double>(unit) * 1e-6;
    return 0.0;
  };
  std::printf(
      "Yu et al. 2023 claim of their figure 3 that MEGABYTE costs least at every size and length. Here the others cost at "
      "least\n"
      "%.1f times as much. They count 9 D per byte and layer for the attention of a linear transformer, and say that this\n"
      "may flatter it: its running sums cost %.0f times that at the smallest size, %.1f %% of that model.\n"
      "They say that attention is 1.4 %% of GPT-3's cost: here %.1f %%, over windows of 2,048.\n"
      "MEGABYTE's sizes are the paper's, in weights of layers (12 D^2 each); it prints no shapes for them. Of the "
      "transformers\n"
      "it says 660M to 173B; these have GPT-3's shapes. Sizes in its tables of trained models are nominal, with a subword\n"
      "vocabulary that bytes do not have: of the model of text, 758M + 262M, the layers hold %.0fM + %.0fM (--model "
      "paper-text).\n",
      least, attention(first.linear_transformer) / attention(first.nine_d_transformer),
      100 * attention(first.linear_transformer) / 1024 / cost_of(first.linear_transformer, 1024).forward,
      100 * gpt3[1].flops / (gpt3[0].flops + gpt3[1].flops), weights("global products", 8), weights("local products", 1));
}

void print_json(const std::vector<CountedModel>& all) {
  using Json = nlohmann::ordered_json;
  Json models = Json::array();
  for (const CountedModel& counted : all) {
    Json lengths = Json::array();
    for (const Cost& cost : counted.costs) {
      Json parts = Json::object();
      for (const FlopsPart& part : cost.parts) parts[part.name] = part.flops;
      lengths.push_back(
          {{"length", cost.length}, {"forward", cost.forward}, {"training", 3 * cost.forward}, {"parts", parts}});
    }
    const bool computed = counted.model.attention == AttentionCost::computed;
    models.push_back({{"name", counted.model.name}, {"attention", computed ? "computed" : "9 D"}, {"lengths", lengths}});
  }
  std::printf(
      "%s\n",
      Json{{"unit", "FLOP per byte"}, {"models", models}}.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

int run_flops(const FlopsOptions& options) {
  const std::vector<CountedModel> all = count(options);
  if (options.json) {
    print_json(all);
    return kDone;
  }
  std::printf("MFLOP per byte\n%s\n", kConventions);
  const bool figure = options.models.empty();
  if (figure) print_comparison(all);
  for (const CountedModel& counted : all) print_parts(counted);
  if (figure) print_claims(options);
  return kDone;
}

}  // namespace

Verb add_flops(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("flops", "Counts the FLOPs of matrix products per byte, part by part");
  const auto options = std::make_shared<FlopsOptions>();
  verb->add_option("--model", options->models,
                   "Names from `megalith models`, or files [the comparison of Yu et al. 2023, figure 3: MEGABYTE, a "
                   "transformer and a linear transformer at three sizes, the last also as the paper counts it]")
      ->type_name("NAME|FILE.json");
  verb->add_option("--length", options->lengths, "Bytes in a sequence [1,024 to 1,048,576, in powers of four]")
      ->transform(whole_number(1, 1'000'000'000))
      ->type_name("N");
  verb->add_flag("--json", options->json, "Prints JSON, in FLOP per byte");
  verb->footer(kConventions);
  return {verb, [options] { return run_flops(*options); }};
}

}  // namespace megalith::tool
