#include "common/endpoint_check.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/text.h"

namespace capstan {

namespace {

constexpr std::string_view kScheme = "tcp://";
constexpr std::size_t kKeyDigits = 64;
constexpr std::uint64_t kMaxPort = 65535;

std::size_t end_of_address(std::string_view endpoint) {
  const bool tcp = endpoint.starts_with(kScheme);
  return tcp ? std::min(endpoint.find('/', kScheme.size()), endpoint.size()) : endpoint.size();
}

bool is_key(std::string_view text) {
  return text.size() == kKeyDigits &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

}  // namespace

std::string without_key(std::string_view endpoint) {
  return std::string(endpoint.substr(0, end_of_address(endpoint)));
}

std::string key_part(std::string_view endpoint) {
  const std::string_view rest = endpoint.substr(end_of_address(endpoint));
  return std::string(rest.empty() ? rest : rest.substr(1));
}

std::string with_key(std::string_view endpoint, std::string_view key) {
  return key.empty() ? without_key(endpoint) : fmt::format("{}/{}", without_key(endpoint), key);
}

bool is_loopback(std::string_view place) {
  if (place.starts_with(kScheme)) place.remove_prefix(kScheme.size());
  return place.starts_with("127.") || place.starts_with("localhost:") || place.starts_with("[::1]");
}

Status check_endpoint(std::string_view text, bool listens) {
  const std::string endpoint = without_key(text), key = key_part(text);
  if (endpoint.size() < text.size() && !is_key(key)) {
    return make_error(
        ErrorCode::kInvalid,
        fmt::format("a key behind an address has {} hexadecimal digits, not '{}'", kKeyDigits, key));
  }
  const auto colon = endpoint.rfind(':');
  const bool whole =
      endpoint.starts_with(kScheme) && colon != std::string_view::npos && colon > kScheme.size();
  const auto port = whole ? parse_uint(std::string_view(endpoint).substr(colon + 1)) : std::nullopt;
  if (port && *port <= kMaxPort && (listens || *port > 0)) return ok_status();
  return make_error(ErrorCode::kInvalid,
                    fmt::format("must be tcp://host:port with a port from {} to {}, not '{}'",
                                listens ? 0 : 1, kMaxPort, endpoint));
}

Status check_endpoints(std::string_view endpoints, bool listens) {
  for (const std::string_view each : split_text(endpoints, ",")) CAPSTAN_TRY(check_endpoint(each, listens));
  return ok_status();
}

Status check_page_place(std::string_view place) {
  const auto colon = place.rfind(':');
  const bool whole = colon != std::string_view::npos && colon > 0;
  const auto port = whole ? parse_uint(place.substr(colon + 1)) : std::nullopt;
  if (port && *port <= kMaxPort) return ok_status();
  return make_error(
      ErrorCode::kInvalid,
      fmt::format("{} is no HOST:PORT, such as 127.0.0.1:9100, with a port from 0 to {}", place, kMaxPort));
}

Status check_ports_from(std::uint64_t port, std::uint64_t nodes) {
  const std::uint64_t left = kMaxPort + 1 - std::min(port, kMaxPort + 1);
  if (port == 0 || nodes <= left) return ok_status();
  return make_error(ErrorCode::kInvalid,
                    fmt::format("port {} leaves {} port{} for {} nodes: choose one below {}", port, left,
                                left == 1 ? "" : "s", nodes, kMaxPort + 2 - std::min(nodes, kMaxPort)));
}

Result<HttpPlace> parse_http_endpoint(std::string_view endpoint) {
  constexpr std::string_view kScheme = "http://";
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
  const std::string address = without_key(bound);
  const bool any = advertised.ends_with(kAnyPort);
  const std::string host = any ? advertised.substr(0, advertised.size() - kAnyPort.size()) : advertised;
  return with_key(any ? host + address.substr(address.rfind(':')) : host, key_part(bound));
}

std::string advertised_for(const std::string& bind, const std::string& host_name) {
  constexpr std::string_view kEveryAddress[] = {"tcp://*:", "tcp://0.0.0.0:", "tcp://[::]:"};
  for (const std::string_view start : kEveryAddress) {
    if (bind.starts_with(start)) return "tcp://" + host_name + ":0";
  }
  return "";
}

}  // namespace capstan
