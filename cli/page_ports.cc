#include "cli/page_ports.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "cli/doctor.h"
#include "common/endpoint_check.h"
#include "common/text.h"

namespace capstan {
namespace {

using Clock = std::chrono::steady_clock;

Status look_at(const std::vector<std::string>& places) {
  DoctorArgs args;
  for (const std::string& place : places) args.endpoints.push_back("tcp://" + place);
  for (const Finding& finding : examine(args)) {
    if (finding.what == "address" && finding.state == Finding::State::kBad)
      return make_error(ErrorCode::kInvalid, fmt::format("{}; {}", finding.found, finding.advice));
  }
  return ok_status();
}

}  // namespace

Status check_page_ports(const std::string& first, const ClusterConfig& cluster) {
  // Longer than a scheduler goes on whose `capstan run` was killed: it makes a last checkpoint.
  constexpr std::chrono::seconds kPatience{8};
  constexpr std::chrono::milliseconds kPoll{100};
  if (first.empty()) return ok_status();
  CAPSTAN_TRY(check_page_place(first));
  const std::size_t colon = first.rfind(':');
  const std::uint64_t port = parse_uint(std::string_view(first).substr(colon + 1)).value_or(0);
  const std::uint64_t nodes = std::uint64_t{1} + cluster.servers + cluster.workers;
  CAPSTAN_TRY(check_ports_from(port, nodes));
  if (port == 0) return ok_status();
  const std::string host = first.substr(0, colon) == "*" ? "0.0.0.0" : first.substr(0, colon);
  std::vector<std::string> places;
  for (std::uint64_t n = 0; n < nodes; ++n) places.push_back(fmt::format("{}:{}", host, port + n));
  const auto deadline = Clock::now() + kPatience;
  Status free = look_at(places);
  while (!free.ok() && Clock::now() < deadline) {
    std::this_thread::sleep_for(kPoll);
    free = look_at(places);
  }
  return free;
}

}  // namespace capstan
