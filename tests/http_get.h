// http_get(): one request to an HTTP server of this host, for tests. Blocks.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <string>

namespace capstan {

struct HttpGot {
  unsigned status = 0;  // 0: no answer
  std::string content_type, body;
};

// place: "127.0.0.1:9100". token: empty: none is sent.
inline HttpGot http_get(const std::string& place, const std::string& path, const std::string& token = "",
                        boost::beast::http::verb verb = boost::beast::http::verb::get) {
  namespace asio = boost::asio;
  namespace http = boost::beast::http;
  asio::io_context io;
  boost::beast::tcp_stream stream(io);
  boost::beast::error_code code;
  const auto colon = place.rfind(':');
  const auto address = asio::ip::make_address(place.substr(0, colon), code);
  if (code) return {};
  stream.expires_after(std::chrono::seconds(30));
  stream.connect({address, static_cast<unsigned short>(std::stoul(place.substr(colon + 1)))}, code);
  if (code) return {};
  http::request<http::empty_body> request(verb, path, 11);
  request.set(http::field::host, place);
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  http::write(stream, request, code);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.skip(verb == http::verb::head);
  if (!code) http::read(stream, buffer, parser, code);
  if (code) return {};
  const auto& response = parser.get();
  const auto type = response[http::field::content_type];
  return {response.result_int(), std::string(type.data(), type.size()), response.body()};
}

}  // namespace capstan
