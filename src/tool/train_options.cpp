// SPDX-License-Identifier: Apache-2.0
#include "train_options.h"

#include "data_options.h"
#include "megalith/core/check.h"
#include "options.h"
#include "sample_log.h"

namespace megalith::tool {

void add_options(CLI::App& verb, TrainOptions& o) {
  const TrainConfig defaults;
  const auto with_default = [](const char* description, const auto& value) { return text(description, " [", value, "]"); };
  const auto of_recipe = [](const char* description, const auto& value) {
    return text(description, " [that of the named model; ", value, " for others]");
  };

  const auto add_choice = [&](const char* option, auto& value, auto from_name, const std::string& description) {
    return verb.add_option_function<std::string>(
        option,
        [&value, option, from_name](const std::string& name) {
          try {
            value = from_name(name);
          } catch (const Error& error) {
            throw CLI::ValidationError(option, error.what());
          }
        },
        description);
  };

  verb.add_option_function<std::vector<std::string>>(
          "--data", [&o](const std::vector<std::string>& given) { take_weights_apart(given, o.data, o.weights); },
          "Files to learn from, or folders that stand for all files under them; - for standard input, which the run keeps; "
          "PATH:WEIGHT draws windows from each path by its weight, as books:3 logs:1, instead of by its size")
      ->type_name("PATH");
  auto* valid = verb.add_option("--valid", o.valid, "Files to validate on")->type_name("PATH");
  verb.add_option("--valid-share", o.valid_share,
                  "Or this share, held out of the data: the end of a file, pieces from all over a folder; with weights, of "
                  "each path")
      ->check(share_below_one())
      ->excludes(valid)
      ->type_name("X");
  add_patterns(verb, o.patterns);
  verb.add_option("--model", o.model, text("A name from `megalith models`, or a file [", kDefaultModel, "]"))
      ->type_name("NAME|FILE.json");
  verb.add_option("--out", o.out, "The run directory, which must not hold a run yet")->required()->type_name("DIR");
  verb.add_flag("--resume", o.resume,
                "Continues the run in --out with its saved options; give --data or --valid again if the files have moved");

  const auto or_more = [&o](const CLI::Validator& amount) {
    return CLI::Validator(
        [&o, amount](std::string& given) {
          o.more = given.starts_with('+');
          if (o.more) given.erase(0, 1);
          return amount(given);
        },
        "");
  };
  auto* steps =
      verb.add_option("--steps", o.steps, "How long to train: in steps; with --resume, +N trains a run N steps longer")
          ->transform(or_more(whole_number(1)))
          ->type_name("N");
  auto* bytes = verb.add_option("--bytes", o.bytes, "or in bytes, or +N more of them")
                    ->transform(or_more(whole_number(1)))
                    ->excludes(steps)
                    ->type_name("N");
  verb.add_option("--minutes", o.minutes, with_default("or in minutes, or +X more of them", kDefaultMinutes))
      ->transform(or_more(positive_number()))
      ->excludes(steps)
      ->excludes(bytes)
      ->type_name("X");

  verb.add_option("--batch", o.batch, of_recipe("Windows in a batch", defaults.batch))
      ->transform(whole_number(1))
      ->type_name("N");
  verb.add_option("--length", o.length, "Bytes in a window [the model's]")->transform(whole_number(1))->type_name("N");
  verb.add_option("--record", o.record,
                  "Windows begin at multiples of N bytes from the start of each file, and cross no file [the model's]")
      ->transform(whole_number(1))
      ->type_name("N");
  add_choice("--scan", o.scan, parse_scan,
             "The order in which bytes of a record are read: patch, a picture of W x H pixels of C bytes in tiles of T x T; "
             "split, samples of N bytes byte by byte; none, as they stand [the model's]")
      ->type_name("patch:WxHxC:T|split:N|none");
  verb.add_option("--accumulate", o.accumulate, with_default("Batches in a step", defaults.accumulate))
      ->transform(whole_number(1))
      ->type_name("N");
  verb.add_flag_callback(
      "--stream", [&o] { o.stream = true; },
      "Reads the data in order, in as many streams side by side as there are windows in a step, and carries what the model "
      "knows from window to window; for models without a longest sequence");
  verb.add_option("--carry", o.carry, with_default("Windows of a stream over which the gradient flows back", defaults.carry))
      ->transform(whole_number(1))
      ->type_name("N");
  verb.add_flag_callback(
      "--across-files", [&o] { o.across_files = true; }, "A stream goes on from one file to the next [it begins afresh]");
  verb.add_option("--lr", o.lr, of_recipe("Peak learning rate", defaults.schedule.peak))
      ->check(positive_number())
      ->type_name("X");
  verb.add_option("--warmup", o.warmup,
                  with_default("Steps in which the learning rate rises to its peak; by default a tenth of the run at most",
                               defaults.schedule.warmup_steps))
      ->transform(whole_number(0))
      ->type_name("N");
  add_choice("--schedule", o.schedule, parse_schedule_kind,
             of_recipe("linear, cosine or cooldown, after a warm-up", to_string(defaults.schedule.kind)))
      ->type_name("linear|cosine|cooldown");
  add_choice("--precision", o.precision, parse_precision,
             with_default("Precision of products: fp32, or bf16, which is faster where the processor has it",
                          to_string(defaults.precision)))
      ->type_name("fp32|bf16");
  verb.add_flag_callback(
      "--recompute", [&o] { o.recompute = true; }, "Keeps less of the forward pass in memory and computes it again");
  verb.add_option("--dropout", o.dropout, "Dropout of each residual branch [the model's]")
      ->check(share_below_one())
      ->type_name("X");
  verb.add_option("--average", o.average, "Decay of a moving average of the weights, as 0.999 [none]")
      ->check(share_below_one())
      ->type_name("X");
  verb.add_option("--init", o.init, "Starts from these weights, and with their model unless --model is given")
      ->type_name("CHECKPOINT");
  verb.add_option("--seed", o.seed, with_default("Seed of weights, data and dropout", defaults.seed))
      ->transform(seed())
      ->type_name("N");
  add_threads(verb, o.threads);

  verb.add_option("--eval-every", o.eval_every,
                  "Steps between validations; 0: only at the end [so that they take about 1 % of training]")
      ->transform(whole_number(0))
      ->type_name("N");
  verb.add_option(
          "--eval-bytes", o.eval_bytes,
          with_default("Bytes to validate on, spread evenly over the data, more at the end; 0: all", defaults.eval_bytes))
      ->transform(whole_number(0))
      ->type_name("N");
  verb.add_option("--patience", o.patience, "Stops after N validations in a row that bring no new best [never]")
      ->transform(whole_number(1))
      ->type_name("N");
  verb.add_option("--save-every", o.save_every_minutes,
                  with_default("Minutes between checkpoints; 0: at start and end", defaults.save_every_minutes))
      ->check(number_from_zero())
      ->type_name("MINUTES");
  verb.add_option("--sample-every", o.sample_every,
                  "Steps between samples of what the model writes, kept in samples.jsonl and shown in the report; 0: none "
                  "[one at the "
                  "end, in the report]")
      ->transform(whole_number(0))
      ->type_name("N");
  verb.add_option("--sample-bytes", o.sample_bytes,
                  text("Bytes of a sample, which ends with a record [", SampleOptions::kTextBytes,
                       "; of what --sample-as "
                       "names one picture, or ",
                       SampleOptions::kSeconds, " seconds]"))
      ->transform(whole_number(1, SampleOptions::kMaxBytes))
      ->type_name("N");
  // By a function: of an optional, CLI11 takes an empty value for none.
  verb.add_option_function<std::string>(
          "--prompt", [&o](const std::string& given) { o.prompt = given; }, "What samples begin with [nothing]")
      ->type_name("TEXT");
  // The check puts it where it belongs.
  verb.add_option_function<std::string>(
          "--sample-as", [](const std::string&) {},
          "What samples are in the report: sound, as mulaw:8000 or s16:16000:2, or pictures, as 64x64x3 [pictures where "
          "--scan "
          "tells of some, else text]")
      ->check(what_is_shown(o.sample_as))
      ->type_name("WxHxC|KIND:RATE");
}

}  // namespace megalith::tool
