// Endpoints that name a host, for listening: libzmq itself only listens on addresses and interfaces.
#pragma once

#include <string>

#include "common/result.h"

namespace capstan {

// `localhost` as 127.0.0.1, asking nobody (RFC 6761, 6.3): a container without /etc/hosts knows no such
// name. Other endpoints as they are.
std::string with_known_localhost(const std::string& endpoint);

// "tcp://node-1:5000" as "tcp://10.0.0.1:5000". kInvalid when it is no tcp endpoint or the name has no
// IPv4 address.
Result<std::string> with_numeric_host(const std::string& endpoint);

// `endpoint` with the host of `named`: what others should be told when the listener resolved a name.
std::string with_host_of(const std::string& endpoint, const std::string& named);

}  // namespace capstan
