#include "common/adapters/http_server.h"

#include <openssl/crypto.h>
#include <spdlog/fmt/fmt.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <thread>

namespace capstan {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Code = beast::error_code;

constexpr std::uint32_t kHeaderMax = 8192;
constexpr std::uint64_t kBodyMax = 1024;  // nobody sends one; it is read and passed over

// In a time that does not tell how much of it was right.
bool is_token(std::string_view given, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!given.starts_with(kScheme)) return false;
  given.remove_prefix(kScheme.size());
  return given.size() == token.size() && CRYPTO_memcmp(given.data(), token.data(), token.size()) == 0;
}

struct Shared {
  std::weak_ptr<asio::io_context> io;
  HttpServerOptions options;
  HttpServer::Handler handler;
  std::size_t connections = 0;
};

// One connection. All on the server's thread.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, std::shared_ptr<Shared> shared)
      : stream_(std::move(socket)), answer_timer_(stream_.get_executor()), shared_(std::move(shared)) {
    ++shared_->connections;
  }
  ~Session() { --shared_->connections; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderMax);
    parser_->body_limit(kBodyMax);
    stream_.expires_after(shared_->options.idle_limit);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](Code code, std::size_t) {
      if (!code) self->answer();
    });
  }

 private:
  void answer() {
    const auto& request = parser_->get();
    const std::string target(request.target().data(), request.target().size());
    const std::string path = target.substr(0, target.find('?'));
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
      return write({401, "text/plain", "this page asks for a token: Authorization: Bearer ...\n"}, false);
    }
    ask(path);
  }

  void ask(const std::string& path) {
    const std::uint64_t asked = ++asked_;
    answer_timer_.expires_after(shared_->options.answer_limit);
    answer_timer_.async_wait([self = shared_from_this(), asked](Code code) {
      if (!code) self->answered(asked, {503, "text/plain", "the node does not answer\n"});
    });
    stream_.expires_never();
    shared_->handler(path, [weak = weak_from_this(), weak_io = shared_->io, asked](HttpReply reply) {
      const auto io = weak_io.lock();
      if (io == nullptr) return;  // the server is gone
      asio::post(*io, [weak, asked, reply = std::move(reply)]() mutable {
        if (const auto self = weak.lock()) self->answered(asked, std::move(reply));
      });
    });
  }

  void answered(std::uint64_t asked, HttpReply reply) {
    if (asked != asked_ || !parser_.has_value()) return;
    answer_timer_.cancel();
    write(std::move(reply), true);
  }

  void write(HttpReply reply, bool may_stay) {
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
    stream_.expires_after(shared_->options.idle_limit);
    serializer_.emplace(*response_);
    serializer_->split(false);
    http::async_write(stream_, *serializer_, [self = shared_from_this(), stays](Code code, std::size_t) {
      if (code) return;
      if (stays) return self->read();
      Code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  beast::tcp_stream stream_;
  asio::steady_timer answer_timer_;
  std::shared_ptr<Shared> shared_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::uint64_t asked_ = 0;
};

}  // namespace

struct HttpServer::Impl {
  std::shared_ptr<asio::io_context> io = std::make_shared<asio::io_context>(1);
  tcp::acceptor acceptor{*io};
  std::shared_ptr<Shared> shared = std::make_shared<Shared>();
  std::string place;
  std::thread thread;

  Status listen(const std::string& at) {
    const auto colon = at.rfind(':');
    if (colon == std::string::npos || colon == 0) {
      return make_error(ErrorCode::kInvalid, fmt::format("{} is no HOST:PORT, such as 127.0.0.1:9100", at));
    }
    Code code;
    std::string host = at.substr(0, colon);
    if (host == "*") host = "0.0.0.0";
    const auto found = tcp::resolver(*io).resolve(host, at.substr(colon + 1), tcp::resolver::passive, code);
    if (code) return make_error(ErrorCode::kInvalid, fmt::format("listen on {}: {}", at, code.message()));
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor.open(endpoint.protocol(), code);
    if (!code) acceptor.set_option(tcp::acceptor::reuse_address(true), code);
    if (!code) acceptor.bind(endpoint, code);
    if (!code) acceptor.listen(tcp::acceptor::max_listen_connections, code);
    if (code) return make_error(ErrorCode::kIo, fmt::format("listen on {}: {}", at, code.message()));
    place = fmt::format("{}:{}", at.substr(0, colon), acceptor.local_endpoint().port());
    return ok_status();
  }
  void accept() {
    acceptor.async_accept([this](Code code, tcp::socket socket) {
      if (code == asio::error::operation_aborted) return;
      if (!code) std::make_shared<Session>(std::move(socket), shared)->read();
      accept();
    });
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  impl_->io->stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

const std::string& HttpServer::place() const {
  return impl_->place;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& place, HttpServerOptions options,
                                                      Handler handler) {
  auto impl = std::make_unique<Impl>();
  impl->shared->io = impl->io;
  impl->shared->options = std::move(options);
  impl->shared->handler = std::move(handler);
  CAPSTAN_TRY(impl->listen(place));
  impl->accept();
  impl->thread = std::thread([&io = *impl->io] { io.run(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

}  // namespace capstan
