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

}  // namespace capstan
