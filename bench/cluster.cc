#include "bench/cluster.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace capstan {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* argv, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(argv[0], argv);
  _exit(127);
}

// It lies where this program was built.
std::string capstan_binary() {
  return (fs::read_symlink("/proc/self/exe").parent_path() / "capstan").string();
}

void end(pid_t process) {
  if (process <= 0) return;
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
}

double seconds_of_all(const std::vector<pid_t>& processes) {
  double sum = 0.0;
  for (const pid_t process : processes) sum += processor_seconds(process);
  return sum;
}

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

}  // namespace

void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

BenchCluster::BenchCluster(BenchJob job) : job_(std::move(job)) {
  fs::create_directories(job_.folder);
  const std::string file = job_.folder + "/endpoint";
  fs::remove(file);
  write_job();
  std::vector<std::string> args = {"scheduler", job_.folder + "/job.yaml", "--endpoint-file", file,
                                   "--bind",    "tcp://127.0.0.1:0"};
  if (job_.resume) args.emplace_back("--resume");
  scheduler_ = start("scheduler", args);
  for (int tries = 0; endpoint_.empty(); ++tries) {
    if (tries > 2000) give_up("the scheduler does not start:\n" + scheduler_log());
    std::this_thread::sleep_for(5ms);
    endpoint_ = text_of_file(file);
  }
  for (std::uint32_t n = 0; n < job_.servers; ++n) {
    const std::string name = fmt::format("ps-{}", n);
    servers_.push_back(start(name, {"ps", "--scheduler", endpoint_, "--job", kBenchJob, "--name", name,
                                    "--threads", std::to_string(job_.threads)}));
  }
  for (std::uint32_t n = 0; n < job_.workers; ++n) {
    const std::string name = fmt::format("worker-{}", n);
    workers_.push_back(start(name, {"worker", "--scheduler", endpoint_, "--job", kBenchJob, "--name", name,
                                    "--threads", std::to_string(job_.threads)}));
  }
}

BenchCluster::~BenchCluster() {
  end(scheduler_);
  for (const pid_t server : servers_) end(server);
  for (const pid_t worker : workers_) end(worker);
}

void BenchCluster::write_job() const {
  if (!job_.text.empty()) {
    std::ofstream(job_.folder + "/job.yaml") << job_.text;
    return;
  }
  const std::string checkpoint =
      job_.every_seconds == 0 ? ""
                              : fmt::format("checkpoint: {{path: {}, every: {}s, full_every: {}, keep: 2}}\n",
                                            job_.checkpoints(), job_.every_seconds, job_.full_every);
  std::ofstream(job_.folder + "/job.yaml") << fmt::format(
      R"(job: {}
task: ctr
data: {{format: libsvm, train: [unused]}}
model: {{type: lr}}
train: {{passes: 1, partitions: 1}}
{}cluster: {{servers: {}, workers: 1, replicas: {}, num_shards: {}}}
work_dir: {}/work
)",
      kBenchJob, checkpoint, job_.servers, job_.replicas, job_.num_shards, job_.folder);
}

pid_t BenchCluster::start(const std::string& name, std::vector<std::string> args) {
  args.insert(args.begin(), capstan_binary());
  if (!job_.keys.empty()) args.insert(args.end(), {"--keys", job_.keys});
  std::vector<char*> argv;
  for (std::string& word : args) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int log =
      open((job_.folder + "/" + name + ".log").c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  if (log < 0) give_up("cannot write to " + job_.folder);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(argv.data(), log, parent);
  close(log);
  if (child < 0) give_up("cannot start " + name);
  return child;
}

double BenchCluster::server_seconds() const {
  return seconds_of_all(servers_);
}

double BenchCluster::worker_seconds() const {
  return seconds_of_all(workers_);
}

std::string BenchCluster::ask(std::vector<std::string> args) {
  const std::string name = "ask-" + args.front();
  args.insert(args.end(), {"--scheduler", endpoint_, "--job", kBenchJob});
  const pid_t child = start(name, std::move(args));
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? text_of_file(job_.folder + "/" + name + ".log") : "";
}

void BenchCluster::wait() {
  int status = 0;
  waitpid(scheduler_, &status, 0);
  scheduler_ = 0;
  if (status != 0) give_up("the job did not end well:\n" + scheduler_log());
}

std::string BenchCluster::scheduler_log() const {
  return text_of_file(job_.folder + "/scheduler.log");
}

double processor_seconds(pid_t process) {
  const std::string path = process == 0 ? "/proc/self/stat" : fmt::format("/proc/{}/stat", process);
  const std::string text = text_of_file(path);
  std::istringstream in(text.substr(std::min(text.size(), text.rfind(')') + 2)));
  std::string word;
  constexpr int kBefore = 11;  // fields between the program's name and its times
  for (int i = 0; i < kBefore; ++i) in >> word;
  double user = 0.0, system = 0.0;
  in >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::string text_of_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::string with_spread(const std::vector<double>& values, double scale, int decimals) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return fmt::format("{0:.{3}f} ({1:.{3}f} to {2:.{3}f})", median(values) * scale, *least * scale,
                     *most * scale, decimals);
}

std::string conditions() {
  utsname kernel{};
  uname(&kernel);
  double load[1] = {0.0};
  getloadavg(load, 1);
  return fmt::format("{}, {} cores, Linux {}, load {:.2f} at the start", processor_name(),
                     std::thread::hardware_concurrency(), kernel.release, load[0]);
}

}  // namespace capstan
