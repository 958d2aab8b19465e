#include "common/adapters/http_session.h"

#include <openssl/crypto.h>
#include <spdlog/fmt/fmt.h>

#include <boost/asio/post.hpp>
#include <boost/beast/ssl.hpp>
#include <utility>

namespace capstan {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::uint32_t kHeaderMax = 8192;
constexpr std::chrono::minutes kTellEvery{1};
constexpr std::uint64_t kBodyMax = 1024;  // nobody sends one; it is read and passed over

// In a time that does not tell how much of it was right.
bool is_token(std::string_view given, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!given.starts_with(kScheme)) return false;
  given.remove_prefix(kScheme.size());
  return given.size() == token.size() && CRYPTO_memcmp(given.data(), token.data(), token.size()) == 0;
}

}  // namespace

void HttpShared::refuse_token(tcp::socket& from) {
  ++tokens_refused;
  if (!options.tell || told.has_value()) return;
  told.emplace(from.get_executor(), kTellEvery);
  told->async_wait([this](boost::system::error_code gone) {
    if (!gone) told.reset();
  });
  boost::system::error_code gone;
  const auto peer = from.remote_endpoint(gone);
  options.tell(fmt::format("{} asked for a page without the token (CAPSTAN_HTTP_TOKEN): refused",
                           gone ? "somebody" : peer.address().to_string()));
}

HttpSession::HttpSession(tcp::socket socket, std::shared_ptr<HttpShared> shared,
                         std::shared_ptr<asio::ssl::context> tls)
    : context_(std::move(tls)),
      tcp_(std::move(socket)),
      answer_timer_(tcp_.get_executor()),
      shared_(std::move(shared)) {
  ++shared_->connections;
}

HttpSession::~HttpSession() {
  --shared_->connections;
}

template <typename Use>
void HttpSession::with_stream(const Use& use) {
  tls_.has_value() ? use(*tls_) : use(tcp_);
}

// Whoever speaks plainly to a server with a certificate gets one answer, which says so.
void HttpSession::begin() {
  if (context_ == nullptr) return read();
  tcp_.expires_after(shared_->options.idle_limit);
  beast::async_detect_ssl(tcp_, buffer_, [self = shared_from_this()](Code code, bool is_tls) {
    if (code) return;
    if (is_tls) return self->shake_hands();
    self->wants_tls_ = true;
    self->read();
  });
}

void HttpSession::shake_hands() {
  tls_.emplace(tcp_, *context_);
  tls_->async_handshake(asio::ssl::stream_base::server, buffer_.data(),
                        [self = shared_from_this()](Code code, std::size_t used) {
                          self->buffer_.consume(used);
                          if (!code) self->read();
                        });
}

void HttpSession::read() {
  parser_.emplace();
  parser_->header_limit(kHeaderMax);
  parser_->body_limit(kBodyMax);
  tcp_.expires_after(shared_->options.idle_limit);
  with_stream([&](auto& stream) {
    http::async_read(stream, buffer_, *parser_, [self = shared_from_this()](Code code, std::size_t) {
      if (!code) self->answer();
    });
  });
}

void HttpSession::answer() {
  const auto& request = parser_->get();
  const std::string target(request.target().data(), request.target().size());
  const std::string path = target.substr(0, target.find('?'));
  if (wants_tls_) return write({400, "text/plain", "this page is served over https alone\n"}, false);
  if (shared_->connections > shared_->options.connections_max) {
    return write({503, "text/plain", "too many connections\n"}, false);
  }
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return write({405, "text/plain", "only GET is answered\n"}, false);
  }
  const auto& token = shared_->options.token;
  const auto given = request[http::field::authorization];
  if (!token.empty() && !shared_->options.open_paths.contains(path) &&
      !is_token({given.data(), given.size()}, token)) {
    shared_->refuse_token(tcp_.socket());
    return write({401, "text/plain", "this page asks for a token: Authorization: Bearer ...\n"}, false);
  }
  ask(path);
}

void HttpSession::ask(const std::string& path) {
  const std::uint64_t asked = ++asked_;
  answer_timer_.expires_after(shared_->options.answer_limit);
  answer_timer_.async_wait([self = shared_from_this(), asked](Code code) {
    if (!code) self->answered(asked, {503, "text/plain", "the node does not answer\n"});
  });
  tcp_.expires_never();
  shared_->handler(path, [weak = weak_from_this(), weak_io = shared_->io, asked](HttpReply reply) {
    const auto io = weak_io.lock();
    if (io == nullptr) return;  // the server is gone
    asio::post(*io, [weak, asked, reply = std::move(reply)]() mutable {
      if (const auto self = weak.lock()) self->answered(asked, std::move(reply));
    });
  });
}

void HttpSession::answered(std::uint64_t asked, HttpReply reply) {
  if (asked != asked_ || !parser_.has_value()) return;
  answer_timer_.cancel();
  write(std::move(reply), true);
}

void HttpSession::write(HttpReply reply, bool may_stay) {
  const auto& request = parser_->get();
  const bool stays = may_stay && request.keep_alive();
  response_.emplace(static_cast<http::status>(reply.status), request.version());
  response_->set(http::field::content_type, reply.content_type);
  response_->set(http::field::cache_control, "no-store");
  response_->set("X-Content-Type-Options", "nosniff");
  response_->set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'");
  if (reply.status == 401) response_->set(http::field::www_authenticate, "Bearer");
  response_->keep_alive(stays);
  response_->content_length(reply.body.size());
  if (request.method() != http::verb::head) response_->body() = std::move(reply.body);
  parser_.reset();
  tcp_.expires_after(shared_->options.idle_limit);
  serializer_.emplace(*response_);
  serializer_->split(false);
  with_stream([&](auto& stream) {
    http::async_write(stream, *serializer_, [self = shared_from_this(), stays](Code code, std::size_t) {
      if (code) return;
      stays ? self->read() : self->end();
    });
  });
}

void HttpSession::end() {
  if (tls_.has_value()) return tls_->async_shutdown([self = shared_from_this()](Code) {});
  Code ignored;
  tcp_.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace capstan
