#include "cli/launch/host_cluster.h"

#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "common/adapters/disk_files.h"
#include "common/adapters/file_keys.h"
#include "common/endpoint_check.h"
#include "common/text.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kCallPatience = 30s;
constexpr auto kCopyPatience = 300s;
constexpr auto kBeat = 1s;

}  // namespace

// Both ends of a socket: ssh reads its end as stdin.
struct HostCluster::Line {
  Line() {
    std::array<int, 2> ends{-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
    ours = ends[0];
    theirs = ends[1];
  }
  ~Line() {
    close(ours);
    close(theirs);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  void beat() const { send(ours, ".", 1, MSG_DONTWAIT | MSG_NOSIGNAL); }

  int ours = -1, theirs = -1;
};

HostCluster::HostCluster(const JobConfig& job, std::string yaml, std::vector<std::string> scheduler_args,
                         LaunchPlan plan)
    : JobCluster(job, job.work_dir + "/job.yaml", std::move(scheduler_args), job.work_dir + "/logs"),
      yaml_(std::move(yaml)),
      plan_(std::move(plan)),
      ssh_(plan_.ssh),
      scratch_(fmt::format("{}/launch-{}", job.work_dir, getpid())),
      places_(place_nodes(plan_.hosts, job.cluster.servers, job.cluster.workers)),
      facts_(plan_.hosts.size()) {
  std::error_code error;
  std::filesystem::create_directories(scratch_, error);
}

HostCluster::~HostCluster() {
  if (merger_.has_value()) merger_->pump();
  asks_endpoint_.reset();
  std::error_code error;
  std::filesystem::remove_all(scratch_, error);
}

// A server that `capstan scale` has asked for goes to where the fewest nodes are.
std::size_t HostCluster::host_of(const std::string& name) const {
  if (const auto found = places_.find(name); found != places_.end()) return found->second;
  std::vector<std::size_t> nodes(plan_.hosts.size(), 0);
  for (const auto& [each, host] : places_) ++nodes[host];
  return static_cast<std::size_t>(std::min_element(nodes.begin(), nodes.end()) - nodes.begin());
}

std::string HostCluster::whereabouts(const std::string& name) const {
  return " on " + plan_.hosts[host_of(name)].address;
}

std::uint32_t HostCluster::nodes_at(std::size_t host, std::string_view stem) const {
  return static_cast<std::uint32_t>(std::count_if(places_.begin(), places_.end(), [&](const auto& each) {
    return each.second == host && each.first.starts_with(stem);
  }));
}

// ssh's own code also stands for a host that was lost; a tether's is above 128 when a signal ended the node.
bool HostCluster::lost(const ChildProcess& child) const {
  return child.killed() || child.exit_code() > 128;
}

std::string HostCluster::in_folder(const std::string& line) const {
  return plan_.folder.empty() ? line : fmt::format("cd {} && {}", shell_quoted(plan_.folder), line);
}

bool HostCluster::insecure_at(std::size_t host) const {
  return plan_.keys.folder.empty() && !is_loopback(plan_.hosts[host].address + ":0");
}

std::string HostCluster::scheduler_bind() const {
  const std::string& wanted = job().cluster.scheduler;
  return fmt::format("tcp://{}:{}", plan_.hosts[host_of("scheduler")].address,
                     wanted.substr(wanted.rfind(':') + 1));
}

std::string HostCluster::doctor_line(std::size_t host) {
  const std::string place = places_.at("scheduler") == host
                                ? scheduler_bind()
                                : fmt::format("tcp://{}:0", plan_.hosts[host].address);
  std::vector<std::string> words = {"doctor", "--json", "--folder", job().work_dir, "--listen", place};
  for (const std::string& page : pages_at(host)) words.insert(words.end(), {"--listen", "tcp://" + page});
  return in_folder(plan_.program + " " + shell_line(words));
}

std::string HostCluster::page_of(const std::string& name) {
  return fmt::format("{}:{}", plan_.hosts[host_of(name)].address, plan_.http_port + number_of(name));
}

// In the order in which nodes are started: their ports follow from it.
std::vector<std::string> HostCluster::pages_at(std::size_t host) {
  std::vector<std::string> pages;
  const auto add = [&](const std::string& name) {
    const std::string page = page_of(name);
    if (host_of(name) == host) pages.push_back(page);
  };
  if (plan_.http_port == 0) return pages;
  add("scheduler");
  for (std::uint32_t n = 0; n < job().cluster.servers; ++n) add(fmt::format("ps-{}", n));
  for (std::uint32_t n = 0; n < job().cluster.workers; ++n) add(fmt::format("worker-{}", n));
  return pages;
}

std::vector<Ssh::Errand> HostCluster::on_all(const std::string& line, const std::string& what,
                                             std::string_view input) const {
  std::vector<Ssh::Errand> errands;
  for (const LaunchHost& host : plan_.hosts) errands.push_back({host, line, what, input});
  return errands;
}

Status HostCluster::copy_program() {
  if (!plan_.copy.has_value()) return ok_status();
  const auto errands = on_all(plan_.copy->line(), "take a copy of capstan", plan_.copy->bytes());
  return ssh_.do_all(errands, scratch_, kCopyPatience);
}

Status HostCluster::check(std::vector<std::string>& warnings) {
  std::vector<std::string> lines;
  for (std::size_t host = 0; host < plan_.hosts.size(); ++host) lines.push_back(doctor_line(host));
  facts_ = check_hosts(ssh_, plan_.hosts, lines, scratch_);
  std::string errors;
  std::map<std::string, std::vector<std::string>> hosts_by_warning;
  for (std::size_t host = 0; host < plan_.hosts.size(); ++host) {
    const HostFacts& facts = facts_[host];
    for (const std::string& each : facts.warnings)
      hosts_by_warning[each].push_back(plan_.hosts[host].address);
    if (!facts.error.empty()) errors += (errors.empty() ? "" : "\n") + facts.error;
  }
  for (const auto& [text, hosts] : hosts_by_warning)
    warnings.push_back(fmt::format("{}: {}", join(hosts, ", "), text));
  return errors.empty() ? ok_status() : Status(make_error(ErrorCode::kInvalid, errors));
}

// The keys that a host's roles need, and the list of all. An earlier scheduler's address is not ours.
Result<std::vector<HostCluster::File>> HostCluster::files() const {
  const std::size_t first = host_of("scheduler");
  std::vector<File> files = {{first, job().work_dir + "/job.yaml", yaml_, false},
                             {first, endpoint_file(), "", false}};
  if (plan_.keys.folder.empty()) return files;
  const std::string folder = job().work_dir + "/keys/";
  for (std::size_t host = 0; host < plan_.hosts.size(); ++host) {
    std::set<std::string> names = {kAllowedFile};
    for (const auto& [stem, role] : {std::pair("scheduler", Role::kScheduler),
                                     std::pair("ps-", Role::kServer), std::pair("worker-", Role::kWorker)}) {
      if (nodes_at(host, stem) > 0) names.merge(key_files_of(role));
    }
    if (!DiskFiles().exists(plan_.keys.folder + "/" + kFileKeysName).value()) names.erase(kFileKeysName);
    for (const std::string& name : names) {
      const auto bytes = DiskFiles().read(plan_.keys.folder + "/" + name);
      if (!bytes.ok()) {
        return make_error(ErrorCode::kNotFound, fmt::format("{}: `capstan keys new --keys {}` makes keys",
                                                            bytes.error().message, plan_.keys.folder));
      }
      files.push_back({host, folder + name, std::string(bytes->text()), name != kAllowedFile});
    }
  }
  return files;
}

std::string HostCluster::write_line(const File& file) const {
  const std::string path = shell_quoted(file.path);
  return in_folder(fmt::format("{}mkdir -p {} && cat > {}", file.secret ? "umask 077 && " : "",
                               shell_quoted(std::filesystem::path(file.path).parent_path().string()), path));
}

Status HostCluster::bring() {
  CAPSTAN_ASSIGN(const auto files, this->files());
  std::vector<Ssh::Errand> errands;
  errands.reserve(files.size());
  for (const File& file : files)
    errands.push_back({plan_.hosts[file.host], write_line(file), "write " + file.path, file.bytes});
  Status all = ok_status();
  ssh_.call_all(errands, scratch_, kCallPatience,
                [&](const Ssh::Errand& errand, const Result<Ssh::Answer>& answer) {
                  Status done = Ssh::done_on(errand.host, answer, errand.what);
                  if (!all.ok() || done.ok()) return;
                  all = std::move(done);
                  if (!answer.ok() || answer->code == Ssh::kLost) return;
                  all = make_error(ErrorCode::kInvalid,
                                   all.error().message +
                                       ": name a folder that this user can write there (--folder DIR, and "
                                       "work_dir within it)");
                });
  return all;
}

JobCluster::Room HostCluster::room_of(const std::string& name) const {
  const std::size_t host = host_of(name);
  const ClusterConfig& cluster = job().cluster;
  const std::uint32_t sharing = std::max(1U, nodes_at(host, "worker-"));
  const std::uint64_t servers = std::max(1U, nodes_at(host, "ps-"));
  Room room;
  room.threads = cluster.threads > 0 ? cluster.threads : std::max(1U, facts_[host].cores / sharing);
  room.memory_limit =
      cluster.memory_limit > 0 ? cluster.memory_limit : facts_[host].memory / 10 * 8 / servers;
  room.server_args = {"--bind", fmt::format("tcp://{}:0", plan_.hosts[host].address)};
  if (!plan_.hosts[host].zone.empty())
    room.server_args.insert(room.server_args.end(), {"--zone", plan_.hosts[host].zone});
  return room;
}

std::vector<std::string> HostCluster::listen_args() {
  return {"--endpoint-file", endpoint_file(), "--bind", scheduler_bind()};
}

std::vector<std::string> HostCluster::common_args(const std::string& name) {
  const std::size_t host = host_of(name);
  std::vector<std::string> args;
  if (!plan_.keys.folder.empty()) args = {"--keys", job().work_dir + "/keys"};
  if (insecure_at(host) && !name.starts_with("worker-")) args.emplace_back("--insecure");
  if (plan_.http_port == 0) return args;
  args.insert(args.end(), {"--http", page_of(name)});
  return args;
}

std::string HostCluster::node_line(const std::string& name, const std::vector<std::string>& args) {
  std::vector<std::string> words = {"tether", "--job", job().name, "--"};
  words.insert(words.end(), args.begin(), args.end());
  const auto more = common_args(name);
  words.insert(words.end(), more.begin(), more.end());
  return in_folder("exec " + plan_.program + " " + shell_line(words));
}

Result<ChildProcess> HostCluster::spawn(const std::string& name, std::vector<std::string> args,
                                        ChildProcess::LogFile log_file) {
  places_.emplace(name, host_of(name));
  if (!merger_.has_value()) {
    std::error_code error;
    std::filesystem::remove(log_path("all"), error);
    merger_.emplace(log_path("all"), plan_.follow);
  }
  const LaunchHost& host = plan_.hosts[host_of(name)];
  auto line = std::make_unique<Line>();
  auto child = ChildProcess::start_program(name, ssh_.words(host, node_line(name, args)), log_path(name),
                                           log_file, line->theirs);
  close(std::exchange(line->theirs, -1));
  lines_[name] = std::move(line);
  merger_->add(log_path(name), fmt::format("{} {} | ", host.address, name));
  return child;
}

// The scheduler's host tells when the file is there.
Result<std::string> HostCluster::written_endpoint() {
  const LaunchHost& host = plan_.hosts[host_of("scheduler")];
  if (!asks_endpoint_.has_value()) {
    const std::string line = in_folder(
        fmt::format("until cat {} 2>/dev/null | grep .; do sleep 0.1; done", shell_quoted(endpoint_file())));
    asks_endpoint_.emplace(ssh_, host, line, scratch_);
  }
  if (!asks_endpoint_->ended()) return std::string();
  const auto answer = asks_endpoint_->wait(0ms);
  asks_endpoint_.reset();
  CAPSTAN_TRY(Ssh::done_on(host, answer, "read the scheduler's address"));
  return answer->text.substr(0, answer->text.find('\n'));
}

void HostCluster::tend() {
  const auto now = Clock::now();
  if (now - beat_ < kBeat) return;
  beat_ = now;
  for (const auto& [name, line] : lines_) line->beat();
  if (merger_.has_value()) merger_->pump();
}

std::string HostCluster::own_line(std::size_t host, const std::string& line) const {
  return shell_line(ssh_.words(plan_.hosts[host], line));
}

std::vector<std::string> HostCluster::dry_run() {
  std::vector<std::string> all;
  for (std::size_t host = 0; plan_.copy.has_value() && host < plan_.hosts.size(); ++host)
    all.push_back(own_line(host, plan_.copy->line()) + "  # what it reads: this program");
  for (std::size_t host = 0; host < plan_.hosts.size(); ++host)
    all.push_back(own_line(host, doctor_line(host)));
  if (const auto files = this->files(); files.ok()) {
    for (const File& file : *files)
      all.push_back(own_line(file.host, write_line(file)) + "  # what it reads: our own");
  }
  for (const auto& [name, args] : planned(scheduler_bind()))
    all.push_back(own_line(host_of(name), node_line(name, args)));
  return all;
}

Status HostCluster::fetch_report() {
  if (job().report.empty()) return ok_status();
  const LaunchHost& host = plan_.hosts[host_of("scheduler")];
  Ssh::Call call(ssh_, host, in_folder("cat " + shell_quoted(job().report)), scratch_);
  const auto answer = call.wait(kCallPatience);
  CAPSTAN_TRY(Ssh::done_on(host, answer, "read the report"));
  DiskFiles files;
  if (const auto here = files.read(job().report); here.ok() && here->text() == answer->text)
    return ok_status();
  return files.publish(job().report, std::as_bytes(std::span(answer->text)));
}

Status HostCluster::stop_all(std::string& told) {
  const std::string line = plan_.program + " " + shell_line({"tether", "--job", job().name, "--stop"});
  Status all = ok_status();
  ssh_.call_all(on_all(in_folder(line), "stop nodes"), scratch_, kCallPatience,
                [&](const Ssh::Errand& errand, const Result<Ssh::Answer>& answer) {
                  const Status done = Ssh::done_on(errand.host, answer, errand.what);
                  if (done.ok()) told += errand.host.address + ": " + answer->text;
                  if (all.ok()) all = done;
                });
  return all;
}

}  // namespace capstan
