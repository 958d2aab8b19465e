#include "cli/launch/host_list.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/endpoint_check.h"
#include "common/plain_name.h"
#include "common/text.h"
#include "common/units.h"

namespace capstan {
namespace {

constexpr std::uint32_t kNodesMost = 10'000;

const std::vector<std::string>& known_words() {
  static const std::vector<std::string> kWords = {"scheduler", "servers", "workers", "zone", "ssh", "port"};
  return kWords;
}

// Spaces and tabs separate words.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

Result<std::uint32_t> count_of(std::string_view name, std::string_view value, std::uint32_t least,
                               std::uint32_t most) {
  const auto number = parse_uint(value);
  if (!number.has_value() || *number < least || *number > most) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{} is a number from {} to {}, not '{}'", name, least, most, value));
  }
  return static_cast<std::uint32_t>(*number);
}

Status take_word(std::string_view word, LaunchHost& host) {
  const std::size_t equals = word.find('=');
  const std::string name(word.substr(0, equals));
  const std::string value(equals == std::string_view::npos ? "" : word.substr(equals + 1));
  const auto& known = known_words();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    return make_error(ErrorCode::kInvalid, fmt::format("there is no '{}'{}", name, suggestion(name, known)));
  }
  const bool takes_value = name != "scheduler";
  if (takes_value != (equals != std::string_view::npos && !value.empty())) {
    return make_error(ErrorCode::kInvalid, takes_value ? fmt::format("{0} wants a value: {0}=…", name)
                                                       : fmt::format("{} takes no value", name));
  }
  if (name == "scheduler") host.scheduler = true;
  if (name == "ssh") host.ssh = value;
  if (name == "servers") {
    CAPSTAN_ASSIGN(host.servers, count_of(name, value, 0, kNodesMost));
  }
  if (name == "workers") {
    CAPSTAN_ASSIGN(host.workers, count_of(name, value, 0, kNodesMost));
  }
  if (name == "port") {
    CAPSTAN_ASSIGN(host.ssh_port, count_of(name, value, 1, 65535));
  }
  if (name == "zone" && !is_plain_name(value)) return make_error(ErrorCode::kInvalid, plain_name_rule(value));
  if (name == "zone") host.zone = value;
  return ok_status();
}

Result<LaunchHost> host_of(std::span<const std::string_view> words) {
  LaunchHost host;
  host.address = words.front();
  host.ssh = host.address;
  const bool is_option = host.address.find('=') != std::string::npos || host.address.starts_with("-");
  if (is_option || host.address == "scheduler") {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("the host's address comes first, not '{}'", host.address));
  }
  for (const std::string_view word : words.subspan(1)) CAPSTAN_TRY(take_word(word, host));
  return host;
}

template <typename Count>
std::optional<std::uint32_t> sum_of(std::span<const LaunchHost> hosts, const Count& count) {
  std::optional<std::uint32_t> sum;
  for (const LaunchHost& host : hosts) {
    if (count(host).has_value()) sum = sum.value_or(0) + *count(host);
  }
  return sum;
}

template <typename Count>
void place(std::span<const LaunchHost> hosts, const char* stem, std::uint32_t nodes, const Count& count,
           std::map<std::string, std::size_t>& places) {
  std::uint32_t number = 0;
  const bool asked = sum_of(hosts, count).has_value();
  for (std::size_t host = 0; asked && host < hosts.size(); ++host) {
    for (std::uint32_t n = 0; n < count(hosts[host]).value_or(0); ++n)
      places[fmt::format("{}-{}", stem, number++)] = host;
  }
  for (; number < nodes; ++number) places[fmt::format("{}-{}", stem, number)] = number % hosts.size();
}

std::optional<std::uint32_t> servers_asked(const LaunchHost& host) {
  return host.servers;
}
std::optional<std::uint32_t> workers_asked(const LaunchHost& host) {
  return host.workers;
}

}  // namespace

Result<std::vector<LaunchHost>> parse_hosts(std::string_view text, const std::string& source) {
  std::vector<LaunchHost> hosts;
  std::vector<std::size_t> lines;  // of the hosts
  std::size_t number = 0;
  for (const std::string_view line : split_text(text, "\n")) {
    ++number;
    const auto words = words_of(line.substr(0, line.find('#')));
    if (words.empty()) continue;
    auto host = host_of(words);
    if (!host.ok()) return host.error().wrap(fmt::format("{}:{}", source, number));
    const auto same = [&](const LaunchHost& other) { return other.address == host->address; };
    if (std::any_of(hosts.begin(), hosts.end(), same)) {
      return make_error(ErrorCode::kInvalid, fmt::format("{}:{}: {} is there twice; servers=N and workers=N "
                                                         "put several nodes on a host",
                                                         source, number, host->address));
    }
    hosts.push_back(std::move(host).value());
    lines.push_back(number);
  }
  if (hosts.empty()) return make_error(ErrorCode::kInvalid, source + ": no host in it");
  for (std::size_t n = 0; n < hosts.size() && hosts.size() > 1; ++n) {
    if (!is_loopback(hosts[n].address + ":0")) continue;
    return make_error(
        ErrorCode::kInvalid,
        fmt::format("{}:{}: the other hosts do not reach {}, where each finds itself: write the "
                    "address by which they reach this host",
                    source, lines[n], hosts[n].address));
  }
  const auto schedulers =
      std::count_if(hosts.begin(), hosts.end(), [](const LaunchHost& host) { return host.scheduler; });
  if (schedulers > 1)
    return make_error(ErrorCode::kInvalid, source + ": one host has the scheduler, not two");
  if (schedulers == 0) hosts.front().scheduler = true;
  return hosts;
}

std::optional<std::uint32_t> servers_of(std::span<const LaunchHost> hosts) {
  return sum_of(hosts, servers_asked);
}

std::optional<std::uint32_t> workers_of(std::span<const LaunchHost> hosts) {
  return sum_of(hosts, workers_asked);
}

std::map<std::string, std::size_t> place_nodes(std::span<const LaunchHost> hosts, std::uint32_t servers,
                                               std::uint32_t workers) {
  std::map<std::string, std::size_t> places;
  for (std::size_t host = 0; host < hosts.size(); ++host) {
    if (hosts[host].scheduler) places["scheduler"] = host;
  }
  place(hosts, "ps", servers, servers_asked, places);
  place(hosts, "worker", workers, workers_asked, places);
  return places;
}

}  // namespace capstan
