// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tenfold/tests/conformance/backend_case.h"

namespace tenfold {
namespace {

using Clock = std::chrono::steady_clock;

// All that comes until the other end is closed; false if that takes too long.
bool ReadUntil(int fd, Clock::time_point deadline, std::string& out) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd waiting = {.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    char buffer[4096];
    const ssize_t count = ::read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    out.append(buffer, static_cast<size_t>(count));
  }
}

[[noreturn]] void Answer(int fd, const CaseResult& result) {
  const std::string text = absl::StrCat(result.op, "\n", result.failure);
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  ::_exit(0);
}

}  // namespace

CaseResult RunIsolated(const std::string& path, const CompileOptions& options, int seconds) {
  int ends[2];
  if (::pipe(ends) != 0) return {"", absl::StrCat("no pipe: ", std::strerror(errno))};
  const pid_t child = ::fork();
  if (child < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    return {"", absl::StrCat("no process: ", std::strerror(errno))};
  }
  if (child == 0) {
    ::close(ends[0]);
    Answer(ends[1], RunBackendCase(path, options));
  }
  ::close(ends[1]);
  std::string text;
  const bool in_time = ReadUntil(ends[0], Clock::now() + std::chrono::seconds(seconds), text);
  ::close(ends[0]);
  if (!in_time) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return {"", absl::StrCat("took more than ", seconds, " seconds")};
  if (WIFSIGNALED(status)) return {"", absl::StrCat("crashed: ", strsignal(WTERMSIG(status)))};
  if (WEXITSTATUS(status) != 0) return {"", absl::StrCat("ended with status ", WEXITSTATUS(status))};
  const size_t newline = text.find('\n');
  if (newline == std::string::npos) return {"", "gave no answer"};
  return {text.substr(0, newline), text.substr(newline + 1)};
}

}  // namespace tenfold
