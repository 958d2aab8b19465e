#include "cli/doctor.h"

#include <netdb.h>
#include <spdlog/fmt/fmt.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <thread>

#include "cli/commands.h"
#include "cli/host_memory.h"
#include "cli/version.h"
#include "common/endpoint_check.h"

namespace capstan {
namespace {

using State = Finding::State;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

std::string in_gib(std::uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / static_cast<double>(kGiB));
}

Finding processor() {
  const std::string cores = fmt::format("{} cores", std::thread::hardware_concurrency());
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0) return {"processor", State::kGood, cores + ", AVX-512", ""};
  if (__builtin_cpu_supports("avx2") != 0) return {"processor", State::kGood, cores + ", AVX2", ""};
  return {"processor", State::kWorse, cores + ", no AVX2",
          "dense layers compute several times slower than on processors since 2013"};
#else
  return {"processor", State::kGood, cores, ""};
#endif
}

Finding memory() {
  const std::uint64_t bytes = host_memory();
  if (bytes >= 2 * kGiB) return {"memory", State::kGood, in_gib(bytes), ""};
  return {"memory", State::kWorse, in_gib(bytes),
          "give servers a memory_limit that leaves room for the rest"};
}

Finding huge_pages() {
  std::ifstream in("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string line;
  std::getline(in, line);
  const std::size_t open = line.find('['), close = line.find(']');
  const std::string mode = close == std::string::npos ? "unknown" : line.substr(open + 1, close - open - 1);
  if (mode == "madvise" || mode == "always") return {"huge pages", State::kGood, mode, ""};
  return {"huge pages", State::kWorse, mode,
          "rows are found slower without: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"};
}

Finding open_files() {
  constexpr rlim_t kWanted = 4096;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::string found = limit.rlim_cur == RLIM_INFINITY ? "no limit" : std::to_string(limit.rlim_cur);
  if (limit.rlim_cur >= kWanted) return {"open files", State::kGood, found, ""};
  return {
      "open files", State::kWorse, found,
      fmt::format("each node talks with every other one: ulimit -n {} before it starts, or LimitNOFILE= in "
                  "its systemd unit",
                  kWanted)};
}

Finding clock() {
  timex info{};
  if (adjtimex(&info) >= 0 && (info.status & STA_UNSYNC) == 0) {
    return {"clock", State::kGood, "synchronised", ""};
  }
  return {
      "clock", State::kWorse, "not known to be synchronised",
      "leases do not need the time of day, but rows with a ttl and logs do: run chrony or systemd-timesyncd"};
}

Finding folder(const std::string& path) {
  std::string here = path;
  std::error_code error;
  while (!std::filesystem::exists(here, error) && here != "/" && !here.empty()) {
    const std::string above = std::filesystem::path(here).parent_path().string();
    here = above.empty() ? "." : above;
  }
  struct statvfs disk {};
  const bool is_folder = std::filesystem::is_directory(here, error);
  if (!is_folder) errno = ENOTDIR;
  if (!is_folder || statvfs(here.c_str(), &disk) != 0 || access(here.c_str(), W_OK) != 0) {
    return {"folder", State::kBad, fmt::format("cannot write to {}: {}", path, std::strerror(errno)),
            "choose another one (work_dir), or give this user the right to write there"};
  }
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  const std::string found =
      here == path ? fmt::format("{} free in {}", in_gib(free), path)
                   : fmt::format("{} does not exist yet: it would be made below {}, where {} are free", path,
                                 here, in_gib(free));
  if (free >= kGiB) return {"folder", State::kGood, found, ""};
  return {"folder", State::kWorse, found, "checkpoints fail when it is full; training goes on without them"};
}

// Whether somebody may listen there.
Finding endpoint(const std::string& text) {
  const std::size_t begin = text.starts_with("tcp://") ? 6 : 0, colon = text.rfind(':');
  const std::string host = text.substr(begin, colon - begin), port = text.substr(colon + 1);
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  if (const int wrong = getaddrinfo(host.c_str(), port.c_str(), &wanted, &list); wrong != 0) {
    return {"address", State::kBad, fmt::format("{}: {}", text, gai_strerror(wrong)),
            "name an address of this host"};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(list, freeaddrinfo);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const bool bound = bind(socket, found->ai_addr, found->ai_addrlen) == 0;
  const int why = errno;
  close(socket);
  if (bound) return {"address", State::kGood, text + " is free", ""};
  return {"address", State::kBad, fmt::format("{}: {}", text, std::strerror(why)),
          why == EADDRINUSE ? "another process listens there: stop it, or choose another port"
                            : "name an address that this host has"};
}

void show(const std::vector<Finding>& findings, Console console) {
  for (const Finding& finding : findings) {
    console.out << fmt::format("{:5}  {:10}  {}\n", to_string(finding.state), finding.what, finding.found);
    if (!finding.advice.empty()) console.out << fmt::format("{:19}{}\n", "", finding.advice);
  }
}

}  // namespace

std::string_view to_string(Finding::State state) {
  if (state == State::kGood) return "good";
  return state == State::kWorse ? "worse" : "bad";
}

std::vector<Finding> examine(const DoctorArgs& args) {
  std::vector<Finding> findings = {processor(),  memory(), huge_pages(),
                                   open_files(), clock(),  folder(args.folder)};
  for (const std::string& each : args.endpoints) findings.push_back(endpoint(each));
  return findings;
}

boost::json::object doctor_json(const std::vector<Finding>& findings) {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  boost::json::array list;
  for (const Finding& each : findings) {
    list.push_back(boost::json::object{{"what", each.what},
                                       {"state", to_string(each.state)},
                                       {"found", each.found},
                                       {"advice", each.advice}});
  }
  return {{"version", kVersion},
          {"time_ms", std::chrono::duration_cast<milliseconds>(now).count()},
          {"cores", std::thread::hardware_concurrency()},
          {"memory", host_memory()},
          {"findings", std::move(list)}};
}

void add_doctor(CLI::App& app, Console console, int& exit_code) {
  auto args = std::make_shared<DoctorArgs>();
  auto as_json = std::make_shared<bool>(false);
  CLI::App* doctor =
      app.add_subcommand("doctor", "Look whether this host suits a node, and say what to change");
  doctor->add_option("--folder", args->folder, "Where checkpoints, journal and logs are to lie")
      ->capture_default_str();
  doctor
      ->add_option("--listen", args->endpoints, "tcp://HOST:PORT where a node is to listen (may be repeated)")
      ->check([](const std::string& text) {
        const Status fits = check_endpoint(text, true);
        return fits.ok() ? std::string() : fits.error().message;
      });
  doctor->add_flag("--json", *as_json, "Print a JSON object");
  doctor->footer("Example: capstan doctor --folder out --listen tcp://10.1.0.2:7000");
  doctor->callback([args, as_json, console, &exit_code] {
    const auto findings = examine(*args);
    if (*as_json) console.out << serialize(doctor_json(findings)) << "\n";
    if (!*as_json) show(findings, console);
    exit_code = kExitOk;
    for (const Finding& each : findings) {
      if (each.state == State::kBad) exit_code = kExitFailed;
    }
  });
}

}  // namespace capstan
