#include "cli/launch/ssh.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/text.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kUsual =
    "ssh -o BatchMode=yes -o ConnectTimeout=5 -o ServerAliveInterval=2 -o ServerAliveCountMax=3";

// Of a call's files in the scratch folder.
std::string fresh_name() {
  static std::atomic<std::uint64_t> calls{0};
  return fmt::format("ssh-{}", ++calls);
}

}  // namespace

std::string shell_quoted(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
  std::string quoted = "'";
  for (const char letter : word) letter == '\'' ? quoted += "'\\''" : quoted += letter;
  return quoted + "'";
}

std::string shell_line(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back(shell_quoted(word));
  return join(quoted, " ");
}

Ssh::Ssh(std::string_view program) {
  for (const std::string_view word : split_text(program.empty() ? kUsual : program, " ")) {
    if (!word.empty()) program_.emplace_back(word);
  }
}

Status Ssh::check_program() const {
  const std::string name = program_.empty() ? "" : program_.front();
  const char* path = std::getenv("PATH");
  std::vector<std::string> places = {name};
  if (name.find('/') == std::string::npos) {
    places.clear();
    for (const std::string_view folder : split_text(path == nullptr ? "/usr/bin:/bin" : path, ":"))
      places.push_back(fmt::format("{}/{}", folder.empty() ? "." : folder, name));
  }
  int reason = ENOENT;
  for (const std::string& place : places) {
    std::error_code error;
    if (::access(place.c_str(), X_OK) == 0 && !std::filesystem::is_directory(place, error))
      return ok_status();
    if (errno == EACCES) reason = EACCES;
  }
  return make_error(
      ErrorCode::kInvalid,
      fmt::format("the ssh program '{}' cannot be run: {}. Install it (openssh-client), or name "
                  "another one: --ssh 'PATH -i KEY'",
                  name, std::strerror(reason)));
}

std::vector<std::string> Ssh::words(const LaunchHost& host, const std::string& line) const {
  std::vector<std::string> words = program_;
  if (host.ssh_port != 0) words.insert(words.end(), {"-p", std::to_string(host.ssh_port)});
  words.insert(words.end(), {"-T", host.ssh, "--", line});
  return words;
}

Ssh::Call::Call(const Ssh& ssh, const LaunchHost& host, const std::string& line, const std::string& scratch,
                std::string_view input)
    : log_(scratch + "/" + fresh_name()), input_(log_ + ".in"), child_(start(ssh.words(host, line), input)) {}

Result<ChildProcess> Ssh::Call::start(const std::vector<std::string>& words, std::string_view input) {
  const int file = ::open(input_.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return make_error(ErrorCode::kIo, "cannot write " + input_);
  const bool written = ::write(file, input.data(), input.size()) == static_cast<ssize_t>(input.size()) &&
                       ::lseek(file, 0, SEEK_SET) == 0;
  auto child = written ? ChildProcess::start_program("ssh", words, log_, ChildProcess::LogFile::kNew, file)
                       : Result<ChildProcess>(make_error(ErrorCode::kNoSpace, "cannot write " + input_));
  ::close(file);
  return child;
}

Result<Ssh::Answer> Ssh::Call::wait(std::chrono::milliseconds patience) {
  if (!child_.ok()) return child_.error();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (child_->running() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
  const bool late = child_->running();
  if (late) child_->signal(SIGKILL);
  while (child_->running()) std::this_thread::sleep_for(1ms);
  std::ostringstream text;
  text << std::ifstream(log_).rdbuf();
  std::error_code gone;
  std::filesystem::remove(log_, gone);
  std::filesystem::remove(input_, gone);
  if (late) {
    return make_error(ErrorCode::kTimeout, fmt::format("no answer within {} s", patience.count() / 1000));
  }
  return Answer{child_->killed() ? kLost : child_->exit_code(), std::move(text).str()};
}

void Ssh::call_all(
    const std::vector<Errand>& errands, const std::string& scratch, std::chrono::milliseconds patience,
    const std::function<void(const Errand& errand, const Result<Answer>& answer)>& answered) const {
  std::deque<Call> calls;
  for (const Errand& errand : errands)
    calls.emplace_back(*this, errand.host, errand.line, scratch, errand.input);
  for (std::size_t i = 0; i < errands.size(); ++i) answered(errands[i], calls[i].wait(patience));
}

Status Ssh::do_all(const std::vector<Errand>& errands, const std::string& scratch,
                   std::chrono::milliseconds patience) const {
  Status all = ok_status();
  call_all(errands, scratch, patience, [&all](const Errand& errand, const Result<Answer>& answer) {
    const Status done = done_on(errand.host, answer, errand.what);
    if (all.ok()) all = done;
  });
  return all;
}

Status Ssh::done_on(const LaunchHost& host, const Result<Answer>& answer, const std::string& what) {
  if (answer.ok() && answer->code == 0) return ok_status();
  std::string_view said = answer.ok() ? std::string_view(answer->text) : answer.error().message;
  said = said.substr(0, said.find_last_not_of("\r\n") + 1);
  return make_error(ErrorCode::kUnavailable, fmt::format("{}: cannot {}: {}", host.address, what, said));
}

}  // namespace capstan
