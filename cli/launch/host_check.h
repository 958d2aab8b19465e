// HostCheck: what hosts say of themselves before anything is started on them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/launch/host_list.h"
#include "cli/launch/ssh.h"
#include "common/result.h"

namespace capstan {

struct HostFacts {
  std::uint32_t cores = 1;
  std::uint64_t memory = 0;           // bytes
  std::vector<std::string> warnings;  // in words, with a remedy, without the host
  std::string error;                  // why nothing can run there, with the host; empty: it can
};

// `capstan doctor` on all hosts at a time: lines[i] is the shell's line on hosts[i].
std::vector<HostFacts> check_hosts(const Ssh& ssh, const std::vector<LaunchHost>& hosts,
                                   const std::vector<std::string>& lines, const std::string& scratch);

// Of one host's answer, which came between two times (milliseconds since 1970) of this host.
HostFacts facts_of(const LaunchHost& host, const Result<Ssh::Answer>& answer, std::int64_t asked_ms,
                   std::int64_t answered_ms);

}  // namespace capstan
