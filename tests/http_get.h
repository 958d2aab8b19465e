// http_get(), https_get(): one request to an HTTP server of this host, for tests. Block.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <string>

namespace capstan {

struct HttpGot {
  unsigned status = 0;  // 0: no answer
  std::string content_type, body;
};

// Whether it is connected to "127.0.0.1:9100".
inline bool connect_to(boost::beast::tcp_stream& stream, const std::string& place) {
  boost::beast::error_code code;
  const auto colon = place.rfind(':');
  const auto address = boost::asio::ip::make_address(place.substr(0, colon), code);
  if (code) return false;
  stream.expires_after(std::chrono::seconds(30));
  stream.connect({address, static_cast<unsigned short>(std::stoul(place.substr(colon + 1)))}, code);
  return !code;
}

// token: empty: none is sent.
inline HttpGot get_over(auto& stream, const std::string& place, const std::string& path,
                        const std::string& token, boost::beast::http::verb verb) {
  namespace http = boost::beast::http;
  boost::beast::error_code code;
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

inline HttpGot http_get(const std::string& place, const std::string& path, const std::string& token = "",
                        boost::beast::http::verb verb = boost::beast::http::verb::get) {
  boost::asio::io_context io;
  boost::beast::tcp_stream stream(io);
  return connect_to(stream, place) ? get_over(stream, place, path, token, verb) : HttpGot{};
}

// Trusts the certificate in that file, and no other.
inline HttpGot https_get(const std::string& place, const std::string& path, const std::string& trusted) {
  namespace ssl = boost::asio::ssl;
  boost::asio::io_context io;
  ssl::context context(ssl::context::tls_client);
  boost::beast::error_code code;
  context.load_verify_file(trusted, code);
  context.set_verify_mode(ssl::verify_peer);
  boost::beast::tcp_stream tcp(io);
  if (code || !connect_to(tcp, place)) return {};
  ssl::stream<boost::beast::tcp_stream&> stream(tcp, context);
  stream.handshake(ssl::stream_base::client, code);
  return code ? HttpGot{} : get_over(stream, place, path, "", boost::beast::http::verb::get);
}

}  // namespace capstan
