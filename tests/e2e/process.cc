#include "tests/e2e/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/assert.h"

namespace capstan {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPoll{5};

// Between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* argv, char* const* environment, int out, int err) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  execve(argv[0], argv, environment);
  _exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, '\0');) words.push_back(word);
  return words;
}

// Sanitizers make everything several times slower; their script says how many.
int patience_factor() {
  const char* text = std::getenv("CAPSTAN_TEST_PATIENCE");
  return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

}  // namespace

bool eventually(const std::function<bool()>& happened, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience_factor() * patience;
  while (!happened()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Process::Process(const std::vector<std::string>& args, const std::string& output, const std::string& tag)
    : output_(output) {
  std::vector<std::string> words = args, variables;
  for (char** each = environ; *each != nullptr; ++each) variables.emplace_back(*each);
  variables.push_back(std::string(kTagVariable) + "=" + tag);
  const std::vector<char*> argv = pointers(words), environment = pointers(variables);
  const int flags = O_CREAT | O_WRONLY | O_TRUNC | O_APPEND | O_CLOEXEC;
  const int out = open((output + ".out").c_str(), flags, 0644);
  const int err = open((output + ".err").c_str(), flags, 0644);
  CAPSTAN_ASSERT(out >= 0 && err >= 0, "files for a process's output");
  pid_ = fork();
  if (pid_ == 0) become(argv.data(), environment.data(), out, err);
  close(out);
  close(err);
  CAPSTAN_ASSERT(pid_ > 0, "fork");
}

Process::~Process() {
  signal(SIGKILL);
  if (!code_) waitpid(pid_, nullptr, 0);
}

std::optional<int> Process::ended() {
  int status = 0;
  if (!code_ && waitpid(pid_, &status, WNOHANG) == pid_) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code_;
}

int Process::wait(std::chrono::milliseconds patience) {
  if (eventually([this] { return ended().has_value(); }, patience)) return *code_;
  signal(SIGKILL);
  return -1;
}

void Process::signal(int number) {
  if (!ended()) kill(pid_, number);
}

std::vector<RunningProcess> tagged_processes(const std::string& tag) {
  const std::string variable = std::string(kTagVariable) + "=" + tag;
  std::vector<RunningProcess> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto variables = words_of(text_of(entry.path() / "environ"));
    if (std::find(variables.begin(), variables.end(), variable) == variables.end()) continue;
    found.push_back({std::stoi(name), words_of(text_of(entry.path() / "cmdline"))});
  }
  return found;
}

}  // namespace capstan
