// SPDX-License-Identifier: Apache-2.0
// Runs that are killed with signal 9, again and again, and resumed to the same bits.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "train/run_helpers.h"

namespace megalith {
namespace {

using namespace tests;

/// Starts the run, or takes it up where there is one, in a process of its own.
pid_t start_process(const TrainConfig& config, const DataConfig& data, const std::string& dir) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    FakeModel model(16, 4, 0.2);
    model.init({9});
    Trainer trainer(model, config, data, dir, {.threads = 2});
    if (std::filesystem::exists(dir + "/config.json")) trainer.resume();
    trainer.run();
    ::_exit(0);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    ::_exit(1);
  }
}

TEST(TrainerKill, ALimitOfFileSizesDoesNotKill) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  const TrainConfig config = short_run(30);
  const std::string dir = folder / "run", metrics = dir + "/metrics.jsonl";
  FakeModel model(16, 4, 0.2);
  model.init({9});
  Trainer(model, config, data, dir, {.threads = 1}).run(stop_at(5));
  // Its metrics are the only large file.
  std::string lines = read_file(metrics);
  lines.insert(1, std::string(1 << 23, ' '));
  folder.write("run/metrics.jsonl", lines);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{lines.size() + 100, lines.size() + 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Trainer trainer(model, config, data, dir, {.threads = 1});
    trainer.resume();
    ::_exit(error_of([&] { trainer.run(); }) == "cannot write " + metrics + ": File too large" ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

/// Which file stands under this name now: a rename changes it.
ino_t inode(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

std::int64_t step_of_model(const std::string& dir) {
  return std::stoll(SafetensorsReader(dir + "/model.safetensors").metadata().at("step"));
}

std::int64_t step_of_state(const std::string& dir) {
  std::int64_t step = -1;
  SafetensorsReader(dir + "/state.safetensors").read("run.step", std::span(&step, 1));
  return step;
}

TEST(TrainerKill, FiftyKillsChangeNothing) {
  using namespace std::chrono_literals;
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  TrainConfig config = short_run(30);
  const auto begin = std::chrono::steady_clock::now();
  {
    FakeModel model(16, 4, 0.2);
    model.init({9});
    Trainer(model, config, data, folder / "whole", {.threads = 1}).run();
  }
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - begin;

  int kills = 0, between_renames = 0, runs = 0;
  while (kills < 50 || between_renames < 10) {
    const std::string dir = folder / ("killed" + std::to_string(runs++));
    config.save_every_minutes = runs % 2 == 1 ? 1e-9 : whole.count() / 600;  // after each step, and after some
    int kills_here = 0;
    for (bool finished = false; !finished;) {
      const pid_t child = start_process(config, data, dir);
      ASSERT_GT(child, 0);
      // Half of the kills come at a random moment, the others after one as soon as the model is a new file: between the two
      // renames of a checkpoint, while the state is still being written.
      const auto start = std::chrono::steady_clock::now();
      const auto wait = whole / 8 * random_uniform({77}, static_cast<std::uint64_t>(kills + runs));
      const bool aim = kills % 2 == 1, let_live = kills_here == 13;
      ino_t model = 0;  // at the moment
      int status = 0;
      bool exited = false;
      for (;;) {
        exited = ::waitpid(child, &status, WNOHANG) == child;
        const bool late = !let_live && std::chrono::steady_clock::now() - start >= wait;
        if (exited || (late && !aim) || (late && model != 0 && inode(dir + "/model.safetensors") != model)) break;
        if (late && model == 0) model = inode(dir + "/model.safetensors");
        std::this_thread::sleep_for(50us);
      }
      if (!exited) {
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
      }
      ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
      finished = WIFEXITED(status);
      if (finished) continue;
      ++kills;
      ++kills_here;
      const bool saved = std::filesystem::exists(dir + "/state.safetensors");
      const std::int64_t ahead = saved ? step_of_model(dir) - step_of_state(dir) : 0;
      EXPECT_GE(ahead, 0);
      if (ahead > 0) ++between_renames;
    }
    expect_same_run(folder / "whole", dir);
    ASSERT_LT(runs, 200);
  }
  std::printf("%d kills in %d runs, %d of them between the two renames\n", kills, runs, between_renames);
}

}  // namespace
}  // namespace megalith
