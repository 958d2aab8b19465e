#include "cli/launch/host_check.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>

#include "cli/version.h"
#include "common/text.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 20s;
constexpr int kNotFound = 127;

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// The JSON line; shells may greet before it.
std::string last_line(const std::string& text) {
  const std::string_view trimmed = std::string_view(text).substr(0, text.find_last_not_of("\r\n") + 1);
  const std::string_view line = trimmed.substr(trimmed.rfind('\n') + 1);
  return std::string(line.ends_with('.') ? line.substr(0, line.size() - 1) : line);
}

std::string why_not(const LaunchHost& host, const Ssh::Answer& answer) {
  const std::string said = last_line(answer.text);
  if (answer.code == Ssh::kLost) {
    return fmt::format(
        "ssh cannot reach {}: {}. `ssh {}` must work without a password (ssh-copy-id), or name "
        "the way with ssh=USER@HOST and port=N, or --ssh 'ssh -i KEY'",
        host.ssh, said, host.ssh);
  }
  if (answer.code == kNotFound) {
    return fmt::format(
        "{} has no capstan: {}. Install its package there, name it with --program PATH, or let "
        "--copy bring this one",
        host.address, said);
  }
  return fmt::format(
      "capstan does not run on {} (exit code {}): {}. If what --program names there is no capstan, name "
      "its path, or let --copy bring this one; --folder names a folder that every host has",
      host.address, answer.code, said);
}

void take_findings(const LaunchHost& host, const boost::json::object& told, HostFacts& facts) {
  for (const auto& each : told.at("findings").as_array()) {
    const boost::json::object& finding = each.as_object();
    const std::string_view state = finding.at("state").as_string();
    if (state == "good") continue;
    const std::string text = fmt::format("{}: {}; {}", std::string_view(finding.at("what").as_string()),
                                         std::string_view(finding.at("found").as_string()),
                                         std::string_view(finding.at("advice").as_string()));
    if (state == "bad" && facts.error.empty()) facts.error = host.address + ": " + text;
    if (state != "bad") facts.warnings.push_back(text);
  }
}

// Leases do not need the time of day: a warning.
void compare_clocks(std::int64_t theirs, std::int64_t asked, std::int64_t answered, HostFacts& facts) {
  constexpr std::int64_t kApartMost = 1000;
  const std::int64_t apart = theirs < asked ? asked - theirs : std::max<std::int64_t>(0, theirs - answered);
  if (apart <= kApartMost) return;
  facts.warnings.push_back(fmt::format(
      "clock: {:.1f} s {} ours: logs do not fit together, and rows with a ttl expire early or late; "
      "run chrony or systemd-timesyncd",
      static_cast<double>(apart) / 1000, theirs < asked ? "behind" : "before"));
}

}  // namespace

HostFacts facts_of(const LaunchHost& host, const Result<Ssh::Answer>& answer, std::int64_t asked_ms,
                   std::int64_t answered_ms) {
  HostFacts facts;
  if (!answer.ok()) {
    facts.error = fmt::format("{}: {}", host.address, answer.error().message);
    return facts;
  }
  boost::system::error_code bad;
  const auto parsed = boost::json::parse(last_line(answer->text), bad);
  const bool told = !bad && parsed.is_object() && parsed.as_object().contains("findings");
  if (!told) {
    facts.error = why_not(host, *answer);
    return facts;
  }
  const boost::json::object& object = parsed.as_object();
  const std::string version(object.at("version").as_string());
  if (version != kVersion) {
    facts.error = fmt::format("{} has capstan {}, this is {}: install the same one on all hosts, or --copy",
                              host.address, version, kVersion);
    return facts;
  }
  facts.cores = object.at("cores").to_number<std::uint32_t>();
  facts.memory = object.at("memory").to_number<std::uint64_t>();
  take_findings(host, object, facts);
  compare_clocks(object.at("time_ms").to_number<std::int64_t>(), asked_ms, answered_ms, facts);
  return facts;
}

std::vector<HostFacts> check_hosts(const Ssh& ssh, const std::vector<LaunchHost>& hosts,
                                   const std::vector<std::string>& lines, const std::string& scratch) {
  std::vector<Ssh::Errand> errands;
  for (std::size_t i = 0; i < hosts.size(); ++i) errands.push_back({hosts[i], lines[i], "run doctor"});
  std::vector<HostFacts> facts;
  const std::int64_t asked = now_ms();
  ssh.call_all(errands, scratch, kPatience,
               [&](const Ssh::Errand& errand, const Result<Ssh::Answer>& answer) {
                 facts.push_back(facts_of(errand.host, answer, asked, now_ms()));
               });
  return facts;
}

}  // namespace capstan
