// SPDX-License-Identifier: Apache-2.0
// What a state.safetensors claims is looked at, field by field.
#include <cmath>
#include <functional>

#include "train/run_helpers.h"
#include "train/state_file.h"

namespace megalith {
namespace {

using namespace tests;

struct RunState : ::testing::Test {
  RunState() : data(write_data(folder)), path(folder / "run/state.safetensors") {
    FakeModel model(16, 4);
    model.init({1});
    Trainer(model, short_run(20), data, folder / "run", {.threads = 1}).run(stop_at(5));
    std::filesystem::copy_file(path, folder / "valid_state");
  }
  /// What resuming says of an edited state; the model must be untouched then.
  std::string refusal(const std::function<void(StateFile&)>& edit) const {
    StateFile state(folder / "valid_state");
    edit(state);
    state.write(path);
    FakeModel fresh(16, 4);
    const std::string message =
        error_of([&] { Trainer(fresh, short_run(20), data, folder / "run", {.threads = 1}).resume(); });
    if (message.empty()) return message;
    for (const Parameter& p : fresh.parameters())
      for (const float x : p.tensor->span()) EXPECT_EQ(x, 0);
    return message;
  }
  void expect(const std::function<void(StateFile&)>& edit, const std::string& words) const {
    const std::string message = refusal(edit);
    for (const std::string& part :
         {path + ": ", words, std::string("; the state is damaged or was edited: put an undamaged copy")})
      EXPECT_NE(message.find(part), message.npos) << "expected: " << part << "\n but got: " << message;
  }

  TemporaryFolder folder;
  DataConfig data;
  std::string path;
};

TEST_F(RunState, AValidOneIsTaken) {
  EXPECT_EQ(refusal([](StateFile&) {}), "");
}

TEST_F(RunState, EachNumberIsChecked) {
  const auto whole = [&](const std::string& name, std::int64_t value, const std::string& words) {
    expect([&](StateFile& s) { s.set(name, value); }, words);
  };
  const auto real = [&](const std::string& name, double value, const std::string& words) {
    expect([&](StateFile& s) { s.set(name, value); }, words);
  };
  whole("run.step", -5, "run.step must be from 0 to 20, not -5");
  whole("run.step", 21, "run.step must be from 0 to 20, not 21");
  whole("run.step", 7, "run.bytes is 320, and must be 448 after 7 steps");
  whole("run.bytes", -1, "run.bytes is -1, and must be 320");
  whole("run.finished", 2, "run.finished must be from 0 to 1, not 2");
  whole("run.lines", -1, "run.lines is -1");
  whole("run.line_bytes", 321, "run.line_bytes must be from 0 to 320, not 321");
  for (const double bad : {-1.0, double{NAN}, double{INFINITY}})
    for (const char* name : {"run.seconds", "run.lr", "run.grad_norm", "run.line_nats", "run.line_seconds",
                             "run.valid.bits_per_byte", "run.best.bits_per_byte"})
      real(name, bad, text(name, " is ", bad, ", and must be 0 or more"));
  whole("run.valid.bytes", -1, "run.valid.bytes is -1");
  whole("run.valid.step", 6, "run.valid.step must be from -1 to 5, not 6");
  whole("run.best.step", 5, "run.best.step must be from -1 to 4, not 5");
  // All that is wrong is said at once.
  expect([](StateFile& s) { s.set("run.lines", std::int64_t{-1}), s.set("run.lr", double{NAN}); },
         "run.lines is -1, and must be 0 or more; run.lr is nan");
  EXPECT_NE(error_of([&] {
              StateFile state(folder / "valid_state");
              state.set("run.finished", std::int64_t{1});
              state.write(path);
              FakeModel model(16, 4);
              Trainer(model, short_run(20), data, folder / "run", {.threads = 1}).resume();
            }).find("run.finished is 1 after step 5"),
            std::string::npos);
}

TEST_F(RunState, EachTensorIsChecked) {
  expect([](StateFile& s) { s.set("weights.positions", NAN, 3); },
         "weights.positions holds nan, and must hold finite numbers");
  expect([](StateFile& s) { s.set("first.positions", -INFINITY); }, "first.positions holds -inf");
  expect([](StateFile& s) { s.set("second.table.weight", -1e-3f); },
         "second.table.weight holds -0.001, and must hold numbers that are not negative");
  expect([](StateFile& s) { s.set("average.positions", NAN); }, "average.positions holds nan");
  EXPECT_EQ(refusal([](StateFile& s) { s.set("weights.positions", 2.0f, 3); }), "")
      << "a number like others can be anybody's";
}

TEST_F(RunState, SettingsAreChecked) {
  for (const char* bad :
       {"{}", "[]", "7", "null", "\"\"", "{\"model\":{},\"train\":{}}", "{\"model\":[],\"train\":{},\"data\":{}}"})
    expect([&](StateFile& s) { s.metadata["settings"] = bad; },
           text("settings is \"", bad, "\", and must be JSON with an object"));
  const auto settings = [&](const std::string& value) {
    return refusal([&](StateFile& s) { s.metadata["settings"] = value; });
  };
  EXPECT_NE(settings("").find("settings is not valid JSON"), std::string::npos);
  EXPECT_NE(settings(std::string(100000, '[')).find("nests deeper"), std::string::npos);
  const std::string nothing = settings(R"({"model":{"scales":[]},"train":{},"data":{}})");
  EXPECT_NE(nothing.find("train.batch was missing and is now 4"), std::string::npos) << nothing;
  EXPECT_NE(nothing.find(path + " was saved with other settings or data"), std::string::npos) << nothing;
  const auto with = [&](const std::string& from, const std::string& to) {
    return refusal([&](StateFile& s) {
      std::string& all = s.metadata["settings"];
      ASSERT_NE(all.find(from), all.npos) << all;
      all.replace(all.find(from), from.size(), to);
    });
  };
  EXPECT_NE(with("digest ", "digest x").find("data.train was \"5000 bytes from 0 on, digest x"), std::string::npos);
  EXPECT_NE(with("\"batch\":4", "\"batch\":[]").find("train.batch was [] and is now 4"), std::string::npos);
  EXPECT_NE(with("\"batch\":4", "\"batch\":{}").find("train.batch was {} and is now 4"), std::string::npos);
  EXPECT_NE(with("\"batch\":4", "\"batch\":null").find("train.batch was null and is now 4"), std::string::npos);
  EXPECT_LT(with("\"batch\":4", "\"batch\":\"" + std::string(100000, 'x') + "\"").size(), 500u);
}

TEST_F(RunState, AnotherVersionSaysWhatToDo) {
  const auto version = [&](const std::string& value) {
    return refusal([&](StateFile& s) { s.metadata["format_version"] = value, s.metadata["library_version"] = "9.1"; });
  };
  EXPECT_NE(
      version("3").find("has format version 3, which is newer than 2, the newest that this library reads; read it with "
                        "Megalith \"9.1\", which wrote it"),
      std::string::npos);
  EXPECT_NE(version("one").find("has format version \"one\", and this library reads versions 1 to 2"), std::string::npos);
}

TEST_F(RunState, OfARunThatIsDoneHasItsModel) {
  const auto resume = [&] {
    FakeModel again(16, 4);
    Trainer trainer(again, short_run(20), data, folder / "run", {.threads = 1});
    trainer.resume();
    return trainer.run().stopped;
  };
  ASSERT_FALSE(resume());
  const std::string model = folder / "run/model.safetensors", whole = read_file(model), state = read_file(path);
  std::filesystem::remove(model);
  EXPECT_FALSE(resume());
  EXPECT_TRUE(read_file(model) == whole) << "lost";
  std::string damaged = whole;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  folder.write("run/model.safetensors", damaged);
  EXPECT_FALSE(resume());
  EXPECT_TRUE(read_file(model) == whole) << "damaged";
  EXPECT_TRUE(read_file(path) == state);
}

}  // namespace
}  // namespace megalith
