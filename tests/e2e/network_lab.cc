#include "tests/e2e/network_lab.h"

#include <fcntl.h>
#include <sched.h>
#include <spdlog/fmt/fmt.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace capstan {
namespace {

constexpr const char* kThisNetwork = "/proc/thread-self/ns/net";
constexpr const char* kThisMounts = "/proc/thread-self/ns/mnt";

Status system_says(int result, const std::string& attempted) {
  if (result == 0) return ok_status();
  return make_error(ErrorCode::kIo, fmt::format("{}: {}", attempted, std::generic_category().message(errno)));
}

// Runs a command of the shell to its end; what it printed is the error's.
Status tool(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return system_says(-1, command);
  std::string printed;
  std::array<char, 256> part{};
  while (fgets(part.data(), part.size(), pipe) != nullptr) printed += part.data();
  if (pclose(pipe) == 0) return ok_status();
  return make_error(ErrorCode::kIo, fmt::format("{}: {}", command, printed));
}

Status tools(const std::vector<std::string>& commands) {
  for (const std::string& command : commands) CAPSTAN_TRY(tool(command));
  return ok_status();
}

Status missing_here() {
  if (geteuid() != 0) {
    return make_error(ErrorCode::kUnavailable, "only root may make network namespaces and mount disks");
  }
  for (const char* program : {"ip", "tc", "nft", "nsenter"}) {
    if (tool(fmt::format("command -v {}", program)).ok()) continue;
    return make_error(ErrorCode::kUnavailable,
                      fmt::format("there is no {} here: apt-get install iproute2 nftables", program));
  }
  return ok_status();
}

}  // namespace

NetworkLab::NetworkLab()
    : home_folder_(std::filesystem::current_path()),
      home_root_(open("/", O_RDONLY | O_CLOEXEC)),
      home_network_(open(kThisNetwork, O_RDONLY | O_CLOEXEC)),
      home_mounts_(open(kThisMounts, O_RDONLY | O_CLOEXEC)) {}

NetworkLab::~NetworkLab() {
  if (moved_) {
    // To enter a mount namespace is to leave one's root for the namespace's own.
    const bool back = setns(home_network_, CLONE_NEWNET) == 0 && setns(home_mounts_, CLONE_NEWNS) == 0 &&
                      fchdir(home_root_) == 0 && chroot(".") == 0 && chdir(home_folder_.c_str()) == 0;
    if (!back) std::perror("leave the network lab");
  }
  for (const int descriptor : {home_root_, home_network_, home_mounts_, bridge_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

Result<std::unique_ptr<NetworkLab>> NetworkLab::make(const std::string& folder,
                                                     const std::vector<std::string>& hosts) {
  CAPSTAN_TRY(missing_here());
  std::unique_ptr<NetworkLab> lab(new NetworkLab());
  CAPSTAN_TRY(lab->build(folder, hosts));
  return lab;
}

Status NetworkLab::build(const std::string& folder, const std::vector<std::string>& hosts) {
  CAPSTAN_TRY(system_says(unshare(CLONE_NEWNET | CLONE_NEWNS), "make a network namespace"));
  moved_ = true;
  CAPSTAN_TRY(system_says(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr),
                          "keep mounts private (cannot be done in a chroot)"));
  bridge_ = open(kThisNetwork, O_RDONLY | O_CLOEXEC);
  CAPSTAN_TRY(
      tools({"ip link set lo up", "ip link add bridge type bridge", "ip addr add 10.77.0.1/24 dev bridge",
             "ip link set bridge up", "nft add table bridge lab",
             "nft add chain bridge lab cuts '{ type filter hook forward priority 0; }'"}));
  int number = 10;
  for (const std::string& name : hosts) {
    const Host host{fmt::format("10.77.0.{}", number++), fmt::format("{}/{}.net", folder, name)};
    CAPSTAN_TRY(add_host(name, host));
  }
  has_netem_ = tools({"tc qdisc add dev bridge root netem delay 1ms", "tc qdisc del dev bridge root"}).ok();
  return ok_status();
}

Status NetworkLab::add_host(const std::string& name, Host host) {
  std::ofstream(host.name_file).flush();
  CAPSTAN_TRY(system_says(unshare(CLONE_NEWNET), "make a network namespace"));
  const Status named =
      system_says(mount(kThisNetwork, host.name_file.c_str(), "none", MS_BIND, nullptr), "name a namespace");
  CAPSTAN_TRY(system_says(setns(bridge_, CLONE_NEWNET), "go back to the bridge"));
  CAPSTAN_TRY(named);
  const std::string& file = host.name_file;
  const auto there = [&](const std::string& command) {
    return fmt::format("nsenter --net={} {}", file, command);
  };
  CAPSTAN_TRY(
      tools({fmt::format("ip link add {} type veth peer name eth0 netns {}", name, file),
             fmt::format("ip link set {} master bridge up", name), there("ip link set lo up"),
             there(fmt::format("ip addr add {}/24 dev eth0", host.address)), there("ip link set eth0 up")}));
  hosts_[name] = std::move(host);
  return ok_status();
}

std::vector<std::string> NetworkLab::on(const std::string& host) const {
  return {"/usr/bin/nsenter", "--net=" + hosts_.at(host).name_file, "--"};
}

Status NetworkLab::cut(const std::string& from, const std::string& to) {
  std::string rule = "nft add rule bridge lab cuts";
  if (!from.empty()) rule += fmt::format(" iifname {}", from);
  if (!to.empty()) rule += fmt::format(" oifname {}", to);
  return tool(rule + " drop");
}

Status NetworkLab::limit(const std::string& host, const std::string& how) {
  return tools(
      {fmt::format("tc qdisc replace dev {} root {}", host, how),
       fmt::format("nsenter --net={} tc qdisc replace dev eth0 root {}", hosts_.at(host).name_file, how)});
}

Status NetworkLab::slow(const std::string& host, std::uint32_t severity) {
  constexpr std::array kNetem = {"delay 50ms 20ms loss 1%", "delay 200ms 80ms loss 2%",
                                 "delay 700ms 200ms loss 5%"};
  constexpr std::array kRate = {"1mbit", "256kbit", "64kbit"};
  slowed_.insert(host);
  if (has_netem_) return limit(host, fmt::format("netem {}", kNetem.at(severity)));
  return limit(host, fmt::format("tbf rate {} burst 4kb latency 3s", kRate.at(severity)));
}

Status NetworkLab::heal() {
  CAPSTAN_TRY(tool("nft flush chain bridge lab cuts"));
  for (const std::string& host : slowed_) {
    CAPSTAN_TRY(
        tools({fmt::format("tc qdisc del dev {} root", host),
               fmt::format("nsenter --net={} tc qdisc del dev eth0 root", hosts_.at(host).name_file)}));
  }
  slowed_.clear();
  return ok_status();
}

Status NetworkLab::mount_disk(const std::string& folder, std::uint64_t bytes) {
  std::filesystem::create_directories(folder);
  const std::string size = fmt::format("size={}", bytes);
  return system_says(mount("lab", folder.c_str(), "tmpfs", 0, size.c_str()), "mount a disk at " + folder);
}

}  // namespace capstan
