// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <algorithm>
#include <filesystem>

#include "../page/html.h"
#include "../page/learning_curve.h"
#include "../page/numbers.h"
#include "megalith/core/check.h"
#include "megalith/io/atomic_file.h"
#include "megalith/models/model_summary.h"
#include "megalith/models/zoo.h"
#include "metrics.h"
#include "progress.h"
#include "run_config.h"

namespace megalith::tool {
namespace {

using page::counted, page::document, page::escaped, page::grouped, page::learning_curve, page::Metric, page::Plot,
    page::rounded, page::short_number, page::small_plots, page::svg;

constexpr std::string_view kStyle = R"css(
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0 2rem; padding: 0; }
.figures div { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; display: flex; flex-direction: column; justify-content: space-between; }
.figures dt { color: var(--soft); font-size: .8rem; }
.figures dd { margin: 0; font-size: 1.45rem; line-height: 1.3; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.narrow { display: none; }
@media (max-width: 34rem) { .figures { grid-template-columns: 1fr 1fr; } }
@media screen and (max-width: 34rem) { .wide { display: none; } .narrow { display: block; } }
.small { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem 1.5rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 0 2.5rem; }
.facts th { width: 8.5rem; padding-right: 1rem; }
.facts td { overflow-wrap: anywhere; }
.numbers th, .numbers td { text-align: right; padding-left: 1rem; }
.numbers { max-width: 34rem; margin-top: .5rem; }
details { margin-top: .75rem; } details pre { margin-top: .5rem; }
@media (max-width: 24rem) { .facts { grid-template-columns: 1fr; } }
)css";

std::string bytes_text(std::int64_t bytes) { return short_number(static_cast<double>(bytes), "B"); }

/// "0.7 s", "1 min 30 s", "2 h 5 min".
std::string in_units(double seconds) {
  const auto s = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e12));
  if (s >= 3600) return text(grouped(s / 3600), " h ", s / 60 % 60, " min");
  return s >= 60 ? text(s / 60, " min ", s % 60, " s") : rounded(seconds, 1) + " s";
}

std::string table(const Facts& facts) {
  std::string out = "<table>\n";
  for (const auto& [name, value] : facts)
    out += "<tr><th scope=\"row\">" + escaped(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
  return out + "</table>\n";
}

/// The first few paths, with their weights where they have some.
std::string listed(const std::vector<std::string>& paths, const std::vector<double>& weights = {}) {
  constexpr std::size_t kMax = 4;
  std::string out;
  for (std::size_t i = 0; i < std::min(paths.size(), kMax); ++i)
    out += text(i > 0 ? ", " : "", paths[i], i < weights.size() ? text(" (weight ", weights[i], ")") : "");
  if (paths.size() > kMax) out += text(" and ", paths.size() - kMax, " more");
  return out;
}

Facts facts_of(const RunConfig& run) {
  const TrainConfig& train = run.train;
  const ModelConfig& model = run.model;
  const auto summary = make_summary(model);
  Facts facts{{"Model", model_name(model)}, {"Parameters", grouped(summary->parameter_count(), 0)}};
  facts.emplace_back("Window", grouped(model.length) + " bytes");
  if (const std::string records = in_words(model.record); !records.empty()) facts.emplace_back("Data", records);
  facts.emplace_back("Layers", stacks_in_words(model));
  const double flops = 3 * flops_per_byte(*summary, model.length);
  facts.emplace_back("Work", rounded(flops * 1e-6, 1) + " MFLOP to learn a byte");
  facts.emplace_back("Budget", budget_text(train.budget));
  facts.emplace_back("Batch", text(train.batch, train.accumulate > 1 ? text(" × ", train.accumulate) : "", " windows"));
  facts.emplace_back("Learning rate", text(train.schedule.peak, " at its peak, ", to_string(train.schedule.kind)));
  if (train.average > 0) facts.emplace_back("Average", text("of the weights, decay ", train.average));
  if (train.patience > 0) facts.emplace_back("Patience", text(train.patience, " validations"));
  if (!train.init.empty()) facts.emplace_back("Started from", train.init);
  facts.emplace_back("Seed", text(train.seed));
  facts.emplace_back("Learned from", listed(run.data.train, run.data.weights));
  const FilePatterns patterns{run.data.include, run.data.exclude};
  if (!patterns.empty()) facts.emplace_back("Files of folders", patterns.describe());
  if (!run.data.valid.empty()) facts.emplace_back("Validated on", listed(run.data.valid));
  if (run.data.valid_share > 0)
    facts.emplace_back("Validated on",
                       text(run.data.spread ? "" : "the last ", rounded(100 * run.data.valid_share, 1), " % of the data"));
  return facts;
}

std::string headline(const TrainResult& result) {
  const Progress& end = result.progress;
  const std::string steps = counted(end.step, "step");
  if (result.stopped) return "Stopped after " + steps + ", to go on with <code>--resume</code>.";
  std::string out = "Done after " + steps;
  if (result.out_of_patience && end.best) out += ": validation had not improved since step " + grouped(end.best->step);
  return out + ".";
}

std::string figures(const TrainResult& result, const std::vector<Metric>& metrics) {
  const Progress& end = result.progress;
  Facts all;
  if (end.valid) all.emplace_back("bits per byte, validation", rounded(end.valid->bits_per_byte, 3));
  else if (!metrics.empty()) all.emplace_back("bits per byte, training", rounded(metrics.back().train_bpb, 3));
  all.emplace_back("learned from", bytes_text(end.bytes));
  all.emplace_back("training time", in_units(end.seconds));
  if (end.seconds > 0)
    all.emplace_back("bytes per second", grouped(std::llround(static_cast<double>(end.bytes) / end.seconds)));
  std::string out = "<dl class=\"figures\">\n";
  for (const auto& [name, value] : all) out += "<div><dt>" + name + "</dt><dd>" + value + "</dd></div>\n";
  return out + "</dl>\n";
}

/// The validations, and where there are none some of the lines, for those who read rather than look.
std::string numbers(const std::vector<Metric>& metrics) {
  constexpr std::size_t kMaxRows = 24;
  std::vector<Metric> rows;
  std::copy_if(metrics.begin(), metrics.end(), std::back_inserter(rows),
               [](const Metric& m) { return m.valid_bpb.has_value(); });
  if (rows.empty()) rows = metrics;
  if (rows.empty()) return "";
  const std::size_t apart = (rows.size() - 1) / kMaxRows + 1;
  std::string out =
      "<details><summary>The same in numbers</summary>\n<table class=\"numbers\">\n<tr><th scope=\"col\">step</th><th "
      "scope=\"col\">bytes</th><th scope=\"col\">training</th><th scope=\"col\">validation</th></tr>\n";
  for (std::size_t i = (rows.size() - 1) % apart; i < rows.size(); i += apart)  // the last is always there
    out += text("<tr><td>", grouped(rows[i].step), "</td><td>", bytes_text(rows[i].bytes), "</td><td>",
                rounded(rows[i].train_bpb, 3), "</td><td>", rows[i].valid_bpb ? rounded(*rows[i].valid_bpb, 3) : "–",
                "</td></tr>\n");
  return out + "</table></details>\n";
}

/// What the lines of compressors in the learning curve are.
std::string about(const Baselines& baselines) {
  if (baselines.all.empty()) return "";
  std::string names;
  for (const page::Baseline& each : baselines.all)
    names += (names.empty() ? "" : " and ") + each.name + " at " + rounded(each.bits_per_byte, 3);
  const std::string bytes = grouped(baselines.bytes);
  const std::string of = baselines.pieces == 1 ? text("all ", bytes, " bytes")
                                               : text(bytes, " of the ", grouped(baselines.valid_bytes), " bytes, in ",
                                                      baselines.pieces, " pieces from all over them");
  return "<figcaption>Dashed: " + escaped(names) + " bits per byte of the validation data (" + of +
         "), which they read without the training data.</figcaption>\n";
}

std::string small_plots_html(const std::vector<Metric>& metrics, double clip) {
  std::string out;
  int number = 0;
  for (const Plot& plot : small_plots(metrics, clip, 300, 210))
    out += "<div>" + svg(plot, text("small", ++number)) + "</div>\n";
  return out.empty() ? "" : "<h2>Speed, learning rate, gradient</h2>\n<figure class=\"small\">\n" + out + "</figure>\n";
}

}  // namespace

void write_report(const std::string& run_dir, const RunConfig& run, const TrainResult& result, const ShownSamples& samples,
                  const Baselines& baselines, const Facts& machine) {
  const std::vector<Metric> metrics = read_metrics(run_dir);
  const Plot curve = learning_curve(metrics, baselines.all, 760, 430);
  const std::string name = std::filesystem::absolute(run_dir).lexically_normal().filename().string();
  const std::string title = name.empty() ? "A run" : name;

  std::string body = "<header>\n<h1>" + escaped(title) + "</h1>\n<p class=\"soft\">" + escaped(model_name(run.model)) +
                     ", " + grouped(make_summary(run.model)->parameter_count(), 0) + " parameters. " + headline(result) +
                     "</p>\n</header>\n<main>\n";
  body += figures(result, metrics);
  body += "<h2>Learning curve</h2>\n<figure>\n<div class=\"wide\">" + svg(curve, "wide") + "</div>\n<div class=\"narrow\">" +
          svg(learning_curve(metrics, baselines.all, 380, 360), "narrow") + "</div>\n" + about(baselines) +
          numbers(metrics) + "</figure>\n";
  body += small_plots_html(metrics, run.train.clip);
  body += samples_html(samples, run.train.seed);
  body += "<div class=\"facts\">\n<section>\n<h2>The run</h2>\n" + table(facts_of(run)) +
          "</section>\n<section>\n<h2>The machine</h2>\n" + table(machine) + "</section>\n</div>\n";
  body += "<details><summary>All settings</summary>\n<pre>" + escaped(to_json(run)) + "</pre></details>\n";
  body += "</main>\n";
  write_file(run_dir + "/curve.svg", svg(curve, "curve", true));
  write_file(run_dir + "/report.html",
             document(title + ": learning curve", std::string(kStyle).append(kSamplesStyle), body));
}

}  // namespace megalith::tool
