#include "common/endpoint_check.h"

#include <spdlog/fmt/fmt.h>

#include "common/text.h"

namespace capstan {

Status check_endpoint(std::string_view endpoint, bool listens) {
  constexpr std::string_view kScheme = "tcp://";
  constexpr std::uint64_t kMaxPort = 65535;
  const auto colon = endpoint.rfind(':');
  const bool whole =
      endpoint.starts_with(kScheme) && colon != std::string_view::npos && colon > kScheme.size();
  const auto port = whole ? parse_uint(endpoint.substr(colon + 1)) : std::nullopt;
  if (port && *port <= kMaxPort && (listens || *port > 0)) return ok_status();
  return make_error(ErrorCode::kInvalid,
                    fmt::format("must be tcp://host:port with a port from {} to {}, not '{}'",
                                listens ? 0 : 1, kMaxPort, endpoint));
}

Status check_endpoints(std::string_view endpoints, bool listens) {
  for (const std::string_view each : split_text(endpoints, ",")) CAPSTAN_TRY(check_endpoint(each, listens));
  return ok_status();
}

Result<HttpPlace> parse_http_endpoint(std::string_view endpoint) {
  constexpr std::string_view kScheme = "http://";
  constexpr std::uint64_t kMaxPort = 65535;
  if (endpoint.starts_with("https://")) {
    return make_error(
        ErrorCode::kInvalid,
        fmt::format("must be http://host:port, not '{}': TLS to etcd is not supported; keep it on "
                    "a network of its own",
                    endpoint));
  }
  std::string_view rest =
      endpoint.starts_with(kScheme) ? endpoint.substr(kScheme.size()) : std::string_view{};
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto colon = rest.rfind(':');
  const bool whole = colon != std::string_view::npos && colon > 0 && rest.find('/') == std::string_view::npos;
  const auto port = whole ? parse_uint(rest.substr(colon + 1)) : std::nullopt;
  if (!port || *port == 0 || *port > kMaxPort) {
    return make_error(ErrorCode::kInvalid, fmt::format("must be http://host:port, not '{}'", endpoint));
  }
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return HttpPlace{std::string(host), std::string(rest.substr(colon + 1))};
}

std::string with_port_of(const std::string& advertised, const std::string& bound) {
  constexpr std::string_view kAnyPort = ":0";
  if (!advertised.ends_with(kAnyPort)) return advertised;
  return advertised.substr(0, advertised.size() - kAnyPort.size()) + bound.substr(bound.rfind(':'));
}

std::string advertised_for(const std::string& bind, const std::string& host_name) {
  constexpr std::string_view kEveryAddress[] = {"tcp://*:", "tcp://0.0.0.0:", "tcp://[::]:"};
  for (const std::string_view start : kEveryAddress) {
    if (bind.starts_with(start)) return "tcp://" + host_name + ":0";
  }
  return "";
}

}  // namespace capstan
