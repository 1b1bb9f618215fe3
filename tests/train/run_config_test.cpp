// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/run_config.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "support/version_1.h"

namespace megalith {
namespace {

RunConfig unusual() {
  RunConfig c;
  c.model.scales = {{.patch = 8}, {}};
  c.train = {.budget = {.steps = 0, .bytes = 1, .minutes = 0.1},
             .batch = 2,
             .accumulate = 3,
             .length = 4,
             .schedule = {.kind = ScheduleKind::cosine, .peak = 0.1, .warmup_steps = 5, .floor = 0.3, .cooldown_share = 0.7},
             .adamw = {.beta1 = 0.1, .beta2 = 0.2, .eps = 1e-30, .weight_decay = 1.0 / 3},
             .clip = 6,
             .average = 0.999,
             .seed = ~std::uint64_t{0},
             .init = "a \"file\" \xff\xfe",
             .patience = 11,
             .eval_every = 7,
             .eval_bytes = 8,
             .log_every = 9,
             .save_every_minutes = 0.1};
  c.data = {.train = {"a", "b\n", "\xc3(\n", "{\"hex\": \"ff\"}"},
            .weights = {1, 0.1, 1e300, 1.0 / 3},
            .valid = {"c"},
            .valid_share = 0.25,
            .separator = std::string("\0\n\x80", 3),
            .include = {"*.\xff"},
            .exclude = {"[a]", ""}};
  return c;
}

TEST(RunConfig, ComesBackFromJson) {
  const RunConfig c = unusual(), back = run_config_from_json(to_json(c), "here");
  EXPECT_EQ(back.model, c.model);
  EXPECT_EQ(back.train, c.train);
  EXPECT_EQ(back.data, c.data);
}

TEST(RunConfig, DataOfOlderRunsHaveNeitherWeightsNorPatterns) {
  RunConfig c = unusual();
  auto old = nlohmann::ordered_json::parse(to_json(c));
  for (const char* field : {"weights", "include", "exclude"}) EXPECT_EQ(old["data"].erase(field), 1u);
  c.data.weights = {};
  c.data.include = c.data.exclude = {};
  EXPECT_EQ(run_config_from_json(old.dump(), "here").data, c.data);
}

TEST(RunConfig, VersionOneIsRead) {
  const RunConfig c = unusual();
  auto old = nlohmann::ordered_json::parse(to_json(c));
  old["format_version"] = 1;
  old["model"] = tests::version_1(old["model"]);
  const RunConfig back = run_config_from_json(old.dump(), "here");
  EXPECT_EQ(back.model, c.model);
  EXPECT_EQ(back.train, c.train);
  EXPECT_EQ(back.data, c.data);
}

TEST(RunConfig, DifferentSeedsDifferentKeys) {
  TrainConfig a, b;
  b.seed = 2;
  EXPECT_NE(a.init_key(), b.init_key());
  EXPECT_NE(a.init_key(), RandomKey{a.seed});
}

TEST(RunConfig, Errors) {
  const auto with = [](std::string_view from, std::string_view to) {
    std::string json = to_json(unusual());
    const std::size_t at = json.find(from);
    EXPECT_NE(at, json.npos) << from;
    return json.replace(at, from.size(), to);
  };
  EXPECT_ERROR(run_config_from_json("{", "here"), "here is not valid JSON");
  EXPECT_ERROR(run_config_from_json("{}", "here"), "not the config.json");
  EXPECT_ERROR(
      run_config_from_json(with("\"format_version\": 2", "\"format_version\": 3"), "here"),
      "here has format version 3, which is newer than 2, the newest that this library reads; read it with Megalith \"0.");
  EXPECT_ERROR(run_config_from_json(with("\"batch\"", "\"bacth\""), "here"), "no field \"bacth\"; did you mean \"batch\"?");
  EXPECT_ERROR(run_config_from_json(with("\"batch\": 2", "\"batch\": 2.5"), "here"),
               "train.batch must be a whole number, not 2.5");
  EXPECT_ERROR(run_config_from_json(with("\"batch\": 2", "\"batch\": 18446744073709551615"), "here"), "train.batch");
  EXPECT_ERROR(run_config_from_json(with("\"seed\": 18446744073709551615", "\"seed\": -1"), "here"),
               "train.seed must be from 0");
  EXPECT_ERROR(run_config_from_json(with("\"cosine\"", "\"sine\""), "here"), "did you mean \"cosine\"?");
  EXPECT_ERROR(run_config_from_json(with("\"cosine\"", "\"stairs\""), "here"),
               "train.schedule.kind cannot be \"stairs\"; choose from linear, cosine, cooldown");
  EXPECT_ERROR(run_config_from_json(with("\"clip\": 6.0", "\"clip\": 1e999"), "here"), "a number that is too large");
  EXPECT_ERROR(run_config_from_json(with("\"batch\": 2", "\"batch\": 1180591620717411303424"), "here"),
               "train.batch must be a whole number");
  EXPECT_ERROR(run_config_from_json(std::string(100000, '['), "here"), "nests deeper");
  EXPECT_ERROR(run_config_from_json(with("\"batch\": 2,", "\"batch\": 0.5, \"clpi\": 1,"), "here"),
               "train.batch must be a whole number, not 0.5; train has no field \"clpi\"; did you mean \"clip\"?");
  EXPECT_ERROR(run_config_from_json(with("\"clip\": 6.0", "\"clip\": \"6\""), "here"),
               "train.clip must be a number, not \"6\"");
  EXPECT_ERROR(run_config_from_json(with("\"data\"", "\"dada\""), "here"), "\"dada\"");
  for (const char* hex : {"{\"hex\": \"c\"}", "{\"hex\": \"zz\"}", "{\"hex\": 1}", "{\"hex\": \"00\", \"a\": 1}", "{}"})
    EXPECT_ERROR(run_config_from_json(with("\"c\"", hex), "here"), "data.valid[0] must be a string");
  const TemporaryFolder folder;
  EXPECT_ERROR(load_run_config(folder.path()), "holds no run");
}

TEST(TrainConfig, ModestEvalEvery) {
  TrainConfig config{.batch = 4};
  config.eval_bytes = 1000;
  EXPECT_EQ(config.modest_eval_every(100), 60);  // 24 x 1,000 bytes in steps of 400
  config.accumulate = 7;
  EXPECT_EQ(config.modest_eval_every(100), 9);  // 2,800 a step, rounded up
  config.length = 10;
  EXPECT_EQ(config.modest_eval_every(100), 86);  // the window trained on counts
  config.eval_bytes = 1;
  EXPECT_EQ(config.modest_eval_every(100), 1);
  config.eval_bytes = std::int64_t{1} << 62;
  EXPECT_EQ(config.modest_eval_every(100), 1000);
  config.eval_bytes = 0;
  EXPECT_EQ(config.modest_eval_every(100), 250);
}

}  // namespace
}  // namespace megalith
