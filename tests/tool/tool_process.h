// SPDX-License-Identifier: Apache-2.0
// Runs the built command, as a shell would: arguments in, exit code and both outputs out.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace megalith::tests {

/// A file without a name: an input or output of a process, which so never waits for a reader.
class Stream {
 public:
  explicit Stream(const std::string& content = "") {
    if (file_ == nullptr) throw std::runtime_error("cannot make a temporary file");
    std::fwrite(content.data(), 1, content.size(), file_.get());
    std::rewind(file_.get());
  }
  int descriptor() const { return fileno(file_.get()); }
  /// All that was written so far. By position: reading moves nobody's place in the file.
  std::string content() const {
    std::string all;
    char piece[4096];
    for (ssize_t n; (n = pread(descriptor(), piece, sizeof piece, static_cast<off_t>(all.size()))) > 0;)
      all.append(piece, static_cast<std::size_t>(n));
    return all;
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{std::tmpfile(), std::fclose};
};

struct Outcome {
  int code = -1;  // as a shell says it: 128 + the signal that ended the process
  std::string out, err;
  int signal = 0;  // that ended the process
};

/// The command, running.
class Tool {
 public:
  /// `input` is its standard input. `through` is a command that runs the one behind it, such as nohup.
  explicit Tool(const std::vector<std::string>& arguments, const std::string& input = "",
                const std::vector<std::string>& through = {})
      : in_(input) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in_.descriptor(), 0);
    posix_spawn_file_actions_adddup2(&files, out_.descriptor(), 1);
    posix_spawn_file_actions_adddup2(&files, err_.descriptor(), 2);
    std::vector<char*> argv;
    for (const std::string& word : through) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(const_cast<char*>(MEGALITH_TOOL));
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const int failed = posix_spawnp(&process_, argv[0], &files, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0) throw std::runtime_error(std::string("cannot start ") + MEGALITH_TOOL);
  }
  ~Tool() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    wait();
  }
  Tool(const Tool&) = delete;
  Tool& operator=(const Tool&) = delete;

  void signal(int number) const { kill(process_, number); }
  pid_t process() const { return process_; }
  /// What it has written so far to standard output, and to standard error.
  std::string output_so_far() const { return out_.content(); }
  std::string errors_so_far() const { return err_.content(); }

  Outcome wait() {
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = -1;
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return {signal > 0 ? 128 + signal : WEXITSTATUS(status), out_.content(), err_.content(), signal};
  }

 private:
  Stream in_, out_, err_;
  pid_t process_ = -1;
};

inline Outcome run_tool(const std::vector<std::string>& arguments, const std::string& input = "",
                        const std::vector<std::string>& through = {}) {
  return Tool(arguments, input, through).wait();
}

/// A command that says something in the shell before it becomes the one behind it: for `through`, such as a limit.
inline std::vector<std::string> after(const std::string& said) { return {"sh", "-c", said + "; exec \"$0\" \"$@\""}; }

/// Waits until a condition holds; false after a minute.
inline bool wait_until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace megalith::tests
