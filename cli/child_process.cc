#include "cli/child_process.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <fstream>

namespace capstan {
namespace {

// Between fork and exec: only calls that are safe there.
[[noreturn]] void run(const char* program, char* const* argv, int log, int input, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);  // the parent may be holding signals back
  setpgid(0, 0);  // a Ctrl-C at the terminal is for the parent, which stops its children in order
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  dup2(input >= 0 ? input : open("/dev/null", O_RDONLY), STDIN_FILENO);
  execvp(program, argv);
  _exit(127);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::string& name, const std::vector<std::string>& args,
                                         const std::string& log_path, LogFile log_file) {
  std::vector<std::string> words = {"capstan"};
  words.insert(words.end(), args.begin(), args.end());
  return become("/proc/self/exe", std::move(words), ChildProcess(name, log_path), log_file, -1);
}

Result<ChildProcess> ChildProcess::start_program(const std::string& name,
                                                 const std::vector<std::string>& words,
                                                 const std::string& log_path, LogFile log_file, int input) {
  return become(words.front(), words, ChildProcess(name, log_path), log_file, input);
}

Result<ChildProcess> ChildProcess::become(const std::string& program, std::vector<std::string> words,
                                          ChildProcess child, LogFile log_file, int input) {
  const int begin = log_file == LogFile::kNew ? O_TRUNC : 0;
  const int log = open(child.log_path_.c_str(), O_CREAT | O_WRONLY | begin | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) {
    return make_error(ErrorCode::kIo, fmt::format("open {}: {}", child.log_path_, std::strerror(errno)));
  }
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) run(program.c_str(), argv.data(), log, input, parent);
  close(log);
  if (pid < 0) {
    return make_error(ErrorCode::kIo, fmt::format("start {}: {}", child.name_, std::strerror(errno)));
  }
  child.pid_ = pid;
  return child;
}

std::optional<std::string> ChildProcess::ended() {
  if (ended_) return ended_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  if (WIFEXITED(status)) {
    exit_code_ = WEXITSTATUS(status);
    ended_ = fmt::format("exit code {}", exit_code_);
  } else {
    const int number = WTERMSIG(status);
    ended_ = fmt::format("killed by signal {} ({})", number, strsignal(number));
  }
  return ended_;
}

void ChildProcess::signal(int number) const {
  if (!ended_ && pid_ > 0) kill(pid_, number);
}

std::string ChildProcess::log_tail(std::size_t lines) const {
  std::ifstream in(log_path_);
  std::deque<std::string> last;
  for (std::string line; std::getline(in, line);) {
    last.push_back(line);
    if (last.size() > lines) last.pop_front();
  }
  std::string text;
  for (const auto& line : last) text += "  | " + line + "\n";
  return text;
}

}  // namespace capstan
