#include "cli/launch/tether.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "common/text.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kUntilKilled = 8s;  // from the word to end
constexpr int kNotStarted = 127;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, number);
  return set;
}

pid_t start_node(const std::vector<std::string>& command, const sigset_t& before) {
  std::vector<std::string> words = {"capstan"};
  words.insert(words.end(), command.begin(), command.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t node = fork();
  if (node != 0) return node;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kNotStarted);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  setpgid(0, 0);
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  execv("/proc/self/exe", argv.data());
  _exit(kNotStarted);
}

// What a node is watched for.
class Watch {
 public:
  Watch(pid_t node, int signals, std::chrono::milliseconds patience)
      : node_(node), signals_(signals), patience_(patience), heard_(Clock::now()) {}

  int run() {
    while (true) {
      std::array<pollfd, 2> sources{pollfd{signals_, POLLIN, 0},
                                    pollfd{reads_ ? STDIN_FILENO : -1, POLLIN, 0}};
      poll(sources.data(), sources.size(), 200);
      if (sources[0].revents != 0) take_signal();
      if (sources[1].revents != 0) take_input();
      if (const auto code = node_ended(); code.has_value()) return *code;
      const auto now = Clock::now();
      if (!ending_at_.has_value() && now - heard_ > patience_) end("its launcher has not been heard");
      if (ending_at_.has_value() && now - *ending_at_ > kUntilKilled) kill(node_, SIGKILL);
    }
  }

 private:
  void take_signal() {
    signalfd_siginfo info{};
    if (read(signals_, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGCHLD) return;
    end("");
  }
  void take_input() {
    std::array<char, 256> bytes{};
    const ssize_t got = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got > 0) heard_ = Clock::now();
    if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN))) return;
    reads_ = false;
    end("its launcher is gone");
  }
  void end(const char* why) {
    if (ending_at_.has_value()) return;
    ending_at_ = Clock::now();
    if (*why != '\0') std::fprintf(stderr, "%s: the node ends\n", why);
    kill(node_, SIGTERM);
  }
  std::optional<int> node_ended() const {
    int status = 0;
    if (waitpid(node_, &status, WNOHANG) != node_) return std::nullopt;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  pid_t node_;
  int signals_;
  std::chrono::milliseconds patience_;
  Clock::time_point heard_;
  bool reads_ = true;
  std::optional<Clock::time_point> ending_at_;
};

// Of a tether of the job that belongs to this user; the words of its command line.
bool is_tether(const std::filesystem::path& process, const std::string& job) {
  struct stat info {};
  if (stat(process.c_str(), &info) != 0 || info.st_uid != geteuid()) return false;
  std::ostringstream text;
  text << std::ifstream(process / "cmdline").rdbuf();
  const std::string all = text.str();
  const auto words = split_text(all, std::string_view("\0", 1));
  if (words.size() < 5 || words[1] != "tether" || words[2] != "--job" || words[3] != job) return false;
  if (words[4] == "--stop") return false;  // another one that ends them
  const std::size_t slash = words[0].rfind('/');
  const std::string_view program = words[0].substr(slash == std::string_view::npos ? 0 : slash + 1);
  return program == "capstan" || program.starts_with("capstan-");  // a copy (ProgramCopy)
}

std::vector<pid_t> tethers_of(const std::string& job) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto pid = parse_uint(entry.path().filename().string());
    if (!pid.has_value() || static_cast<pid_t>(*pid) == getpid()) continue;
    if (is_tether(entry.path(), job)) found.push_back(static_cast<pid_t>(*pid));
  }
  return found;
}

}  // namespace

int run_tether(const TetherArgs& args) {
  if (!args.folder.empty() && chdir(args.folder.c_str()) != 0) {
    std::fprintf(stderr, "cannot go to %s: %s\n", args.folder.c_str(), std::strerror(errno));
    return kNotStarted;
  }
  const sigset_t watched = watched_signals();
  sigset_t before;
  sigprocmask(SIG_BLOCK, &watched, &before);
  const int signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  const pid_t node = start_node(args.command, before);
  if (node < 0 || signals < 0) {
    std::fprintf(stderr, "cannot start the node: %s\n", std::strerror(errno));
    return kNotStarted;
  }
  return Watch(node, signals, args.patience).run();
}

int stop_tethers(const std::string& job, std::chrono::milliseconds patience) {
  const std::vector<pid_t> found = tethers_of(job);
  for (const pid_t tether : found) kill(tether, SIGTERM);
  const auto deadline = Clock::now() + patience;
  while (!tethers_of(job).empty() && Clock::now() < deadline) std::this_thread::sleep_for(20ms);
  return tethers_of(job).empty() ? static_cast<int>(found.size()) : -1;
}

}  // namespace capstan
