#include "common/adapters/http_client.h"

#include <spdlog/fmt/fmt.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

namespace capstan {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Code = beast::error_code;

constexpr std::uint64_t kBodyMax = 256ULL << 20;

// Shared with the handler: a name look-up cannot be broken off, and may outlive the call that began it.
struct Pending {
  bool done = false;
  Code code;
};

}  // namespace

struct HttpClient::Impl {
  explicit Impl(HttpPlace to) : place(std::move(to)), resolver(io), timer(io), stream(io) {}

  void begin(Duration limit) {
    io.restart();
    expired = std::make_shared<bool>(false);
    timer.expires_after(limit);
    timer.async_wait([flag = expired](Code code) { *flag = !code; });
  }
  // False: the time is over. What was begun on the stream has ended then, too.
  bool wait(const std::shared_ptr<Pending>& pending) {
    while (!pending->done && !*expired) io.run_one();
    return pending->done;
  }
  static auto mark(const std::shared_ptr<Pending>& pending) {
    return [pending](Code code, auto&&...) {
      pending->code = code;
      pending->done = true;
    };
  }
  // The outcome of a stream's operation; a timed-out one is broken off.
  Code settle(const std::shared_ptr<Pending>& pending) {
    if (wait(pending)) return pending->code;
    disconnect();
    while (!pending->done) io.run_one();
    return asio::error::timed_out;
  }
  void disconnect() {
    Code ignored;
    static_cast<void>(stream.socket().close(ignored));
    connected = false;
    buffer.clear();
  }

  Code connect() {
    if (addresses.empty()) {
      const auto pending = std::make_shared<Pending>();
      const auto found = std::make_shared<tcp::resolver::results_type>();
      resolver.async_resolve(place.host, place.port,
                             [pending, found](Code code, const tcp::resolver::results_type& results) {
                               *found = results;
                               pending->code = code;
                               pending->done = true;
                             });
      if (!wait(pending)) return asio::error::timed_out;
      if (pending->code) return pending->code;
      for (const auto& each : *found) addresses.push_back(each.endpoint());
    }
    const auto pending = std::make_shared<Pending>();
    stream.async_connect(addresses, mark(pending));
    const Code code = settle(pending);
    connected = !code;
    if (code) addresses.clear();  // the name may mean another host by now
    if (connected) {
      Code ignored;
      static_cast<void>(stream.socket().set_option(tcp::no_delay(true), ignored));
    }
    return code;
  }

  Code exchange(const http::request<http::string_body>& request, HttpAnswer& answer) {
    auto pending = std::make_shared<Pending>();
    http::async_write(stream, request, mark(pending));
    if (const Code code = settle(pending)) return code;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kBodyMax);
    pending = std::make_shared<Pending>();
    http::async_read(stream, buffer, parser, mark(pending));
    if (const Code code = settle(pending)) return code;
    answer = {parser.get().result_int(), std::move(parser.get().body())};
    if (!parser.get().keep_alive()) disconnect();
    return {};
  }

  HttpPlace place;
  asio::io_context io{1};
  tcp::resolver resolver;
  asio::steady_timer timer;
  beast::tcp_stream stream;
  beast::flat_buffer buffer;
  std::vector<tcp::endpoint> addresses;
  std::shared_ptr<bool> expired;
  bool connected = false;
};

HttpClient::HttpClient(HttpPlace place) : impl_(std::make_unique<Impl>(std::move(place))) {}
HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::post(const std::string& path, const std::string& body, Duration limit) {
  http::request<http::string_body> request(http::verb::post, path, 11);
  request.set(http::field::host, impl_->place.host + ":" + impl_->place.port);
  request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  impl_->begin(limit);
  HttpAnswer answer;
  for (;;) {
    const bool fresh = !impl_->connected;
    if (const Code code = fresh ? impl_->connect() : Code{}) {
      impl_->disconnect();
      return make_error(ErrorCode::kUnavailable, code.message());
    }
    const Code code = impl_->exchange(request, answer);
    if (!code) break;
    impl_->disconnect();
    if (fresh || *impl_->expired) return make_error(ErrorCode::kTimeout, code.message());
  }
  impl_->timer.cancel();
  return answer;
}

}  // namespace capstan
