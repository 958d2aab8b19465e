// HttpSession: one connection of an HttpServer, from its handshake to its end. All on the server's thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/adapters/http_server.h"

namespace capstan {

// What the connections of a server share.
struct HttpShared {
  std::weak_ptr<boost::asio::io_context> io;
  HttpServerOptions options;
  HttpServer::Handler handler;
  std::size_t connections = 0;
  std::atomic<std::uint64_t> tokens_refused{0};
  std::optional<boost::asio::steady_timer> told{};  // of a refusal: nothing more is said while it runs

  void refuse_token(boost::asio::ip::tcp::socket& from);
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  // tls: nullptr: without.
  HttpSession(boost::asio::ip::tcp::socket socket, std::shared_ptr<HttpShared> shared,
              std::shared_ptr<boost::asio::ssl::context> tls);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void begin();

 private:
  using Code = boost::beast::error_code;

  void shake_hands();
  void read();
  void answer();
  void ask(const std::string& path);
  void answered(std::uint64_t asked, HttpReply reply);
  void write(HttpReply reply, bool may_stay);
  void end();
  template <typename Use>
  void with_stream(const Use& use);

  std::shared_ptr<boost::asio::ssl::context> context_;
  boost::beast::tcp_stream tcp_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
  boost::asio::steady_timer answer_timer_;
  std::shared_ptr<HttpShared> shared_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::optional<boost::beast::http::response<boost::beast::http::string_body>> response_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> serializer_;
  bool wants_tls_ = false;  // and did not get it
  std::uint64_t asked_ = 0;
};

}  // namespace capstan
