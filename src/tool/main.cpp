// SPDX-License-Identifier: Apache-2.0
// The megalith command. Exit codes: 0 done, 1 failed, with one sentence on standard error, 2 wrong usage, and as
// shells say it 130 after Ctrl-C, 143 after SIGTERM and 129 after SIGHUP, with which a terminal closes.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "../page/utf8.h"
#include "arguments.h"
#include "megalith/core/check.h"
#include "megalith/core/version.h"
#include "usage_problem.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using page::one_line;

/// A caller may have closed standard input, output or error. The next file would get that number, and be written into.
void occupy_standard_files() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor)
    if (::fcntl(descriptor, F_GETFD) < 0) (void)!::open("/dev/null", O_RDWR);  // takes the lowest free number
}

/// What a limit of file sizes (ulimit -f) keeps from being written is an error like a full disk, and no end of the process.
void survive_limits_of_files() { std::signal(SIGXFSZ, SIG_IGN); }

/// Lets writing wait for a reader where the caller has asked that it should not: output would be lost. Where it can be, that
/// is changed for this process alone and not for others which write to the same pipe or terminal.
void let_output_wait() {
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    const int flags = ::fcntl(descriptor, F_GETFL);
    struct stat status {};
    if (flags < 0 || (flags & O_NONBLOCK) == 0 || ::fstat(descriptor, &status) != 0 || S_ISREG(status.st_mode)) continue;
    const std::string again = "/proc/self/fd/" + std::to_string(descriptor);
    const int own = ::open(again.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);  // a socket cannot be opened again
    if (own >= 0) {
      ::dup2(own, descriptor);
      ::close(own);
    }
    ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
  }
}

/// Ignores SIGPIPE: the exit code still counts when the reader has closed the pipe.
void survive_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

/// Says what went wrong. The names in it are the user's, and may hold what a terminal would act on.
void complain(const std::string& sentence) {
  survive_broken_pipes();
  std::cerr << one_line(sentence) << '\n';
}

/// The exit code, unless it says that all went well and what was printed did not arrive. A reader who left has all that it
/// wanted.
int once_printed(int code) {
  survive_broken_pipes();
  errno = 0;
  const bool flushed = std::cout.flush() && std::fflush(stdout) == 0;
  if (code != kDone || (flushed && std::ferror(stdout) == 0) || errno == EPIPE) return code;
  complain("megalith: could not write to standard output");
  return kFailed;
}

int run(int argc, char** argv) {
  CLI::App app{"Trains and runs multiscale byte transformers on CPUs.", "megalith"};
  app.set_version_flag("--version", std::string("megalith ") + kLibraryVersion);
  app.require_subcommand(1);
  app.option_defaults()->disable_flag_override();  // --resume=no would be --resume
  const std::vector<Verb> verbs{add_train(app, argc > 0 ? argv[0] : "megalith"),
                                add_eval(app),
                                add_generate(app),
                                add_classify(app),
                                add_embed(app),
                                add_raw(app),
                                add_show(app),
                                add_models(app),
                                add_info(app),
                                add_flops(app),
                                add_completion(app),
                                add_manual(app)};
  try {
    parse(app, argc, argv);
    for (const Verb& verb : verbs)
      if (verb.options->parsed()) return once_printed(verb.run());
    return kWrongUsage;  // not reached: a verb is required
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return once_printed(app.exit(error));  // --help and --version
    complain(usage_problem(app, error, argc, argv));
    return kWrongUsage;
  } catch (const std::bad_alloc&) {
    complain("megalith: there is not enough memory for this; take a smaller model, batch or length, or fewer threads");
  } catch (const std::exception& error) {
    complain(text("megalith: ", error.what()));
  }
  return kFailed;
}

}  // namespace
}  // namespace megalith::tool

int main(int argc, char** argv) {
  megalith::tool::occupy_standard_files();
  megalith::tool::survive_limits_of_files();
  megalith::tool::let_output_wait();
  return megalith::tool::run(argc, argv);
}
