#include "common/adapters/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <memory>

namespace capstan {
namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kLocalhost = "tcp://localhost:";

std::string_view port_part(std::string_view endpoint) {
  return endpoint.substr(endpoint.rfind(':'));
}

}  // namespace

std::string with_known_localhost(const std::string& endpoint) {
  if (!endpoint.starts_with(kLocalhost)) return endpoint;
  return "tcp://127.0.0.1:" + endpoint.substr(kLocalhost.size());
}

Result<std::string> with_numeric_host(const std::string& named) {
  const std::string endpoint = with_known_localhost(named);
  const auto colon = endpoint.rfind(':');
  if (!endpoint.starts_with(kTcp) || colon < kTcp.size()) {
    return make_error(ErrorCode::kInvalid, fmt::format("{} is not like tcp://HOST:PORT", endpoint));
  }
  const std::string host = endpoint.substr(kTcp.size(), colon - kTcp.size());
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int reason = getaddrinfo(host.c_str(), nullptr, &wanted, &found); reason != 0) {
    return make_error(ErrorCode::kInvalid, fmt::format("{}: {}", endpoint, gai_strerror(reason)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  sockaddr_in address{};
  std::memcpy(&address, found->ai_addr, sizeof(address));
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text));
  return fmt::format("{}{}{}", kTcp, text, port_part(endpoint));
}

std::string with_host_of(const std::string& endpoint, const std::string& named) {
  return named.substr(0, named.rfind(':')) + std::string(port_part(endpoint));
}

}  // namespace capstan
