// HostList: the hosts of `capstan launch`, one a line of a file or of the job's cluster.hosts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/result.h"

namespace capstan {

struct LaunchHost {
  std::string address;  // by which the other hosts reach it
  std::string ssh;      // what ssh is told: a name of its configuration, USER@HOST; default: the address
  std::uint32_t ssh_port = 0;  // 0: what ssh takes by itself
  bool scheduler = false;
  std::optional<std::uint32_t> servers, workers;  // absent: its share
  std::string zone;                               // what fails together with it
};

// "ADDRESS [scheduler] [servers=N] [workers=N] [zone=NAME] [ssh=USER@HOST] [port=N]"; blank lines and what
// follows a # do not count. Exactly one host has the scheduler: the first, if none says so. kInvalid with
// line and word.
Result<std::vector<LaunchHost>> parse_hosts(std::string_view text, const std::string& source);

// How many servers, workers the hosts ask for; absent when none of them says.
std::optional<std::uint32_t> servers_of(std::span<const LaunchHost> hosts);
std::optional<std::uint32_t> workers_of(std::span<const LaunchHost> hosts);

// Which host each node runs on: those that hosts ask for in the order of the hosts, else one after the other
// in turn.
std::map<std::string, std::size_t> place_nodes(std::span<const LaunchHost> hosts, std::uint32_t servers,
                                               std::uint32_t workers);

}  // namespace capstan
