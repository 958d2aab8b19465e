// Addresses of processes, tcp://host:port, and of HTTP services, http://host:port.
#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace capstan {

// kInvalid with what is wrong in words. Port 0, which lets the system choose, is for those who listen.
Status check_endpoint(std::string_view endpoint, bool listens);
// One or several with commas between.
Status check_endpoints(std::string_view endpoints, bool listens);

struct HttpPlace {
  std::string host, port;
};
// http://host:port; kInvalid with what is wrong in words.
Result<HttpPlace> parse_http_endpoint(std::string_view endpoint);

// `advertised`, with the port of `bound` in the place of port 0.
std::string with_port_of(const std::string& advertised, const std::string& bound);

}  // namespace capstan
