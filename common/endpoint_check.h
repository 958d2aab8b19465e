// Addresses of processes, tcp://host:port, and of HTTP services, http://host:port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace capstan {

// A process that has keys is found under its address and, behind a '/', its public key's 64 hexadecimal
// digits.
std::string without_key(std::string_view endpoint);
std::string key_part(std::string_view endpoint);  // empty: it has none
std::string with_key(std::string_view endpoint, std::string_view key);

// Whether host:port, with tcp:// before it or not, is reached from this host alone.
bool is_loopback(std::string_view place);

// kInvalid with what is wrong in words. Port 0, which lets the system choose, is for those who listen.
Status check_endpoint(std::string_view endpoint, bool listens);
// One or several with commas between.
Status check_endpoints(std::string_view endpoints, bool listens);

// HOST:PORT where pages are to be served; port 0 lets the system choose. kInvalid with what is wrong in
// words.
Status check_page_place(std::string_view place);
// kInvalid: from `port` on there are fewer ports than nodes, which have one each.
Status check_ports_from(std::uint64_t port, std::uint64_t nodes);

struct HttpPlace {
  std::string host, port;
};
// http://host:port; kInvalid with what is wrong in words.
Result<HttpPlace> parse_http_endpoint(std::string_view endpoint);

// `advertised`, with the port of `bound` in the place of port 0.
std::string with_port_of(const std::string& advertised, const std::string& bound);

// What others are told of a process that listens at `bind` when nobody said: the host's name in the place of
// "every address"; empty when `bind` is an address that others can use as it is.
std::string advertised_for(const std::string& bind, const std::string& host_name);

}  // namespace capstan
