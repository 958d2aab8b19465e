#include "common/adapters/http_server.h"

#include <spdlog/fmt/fmt.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <thread>

#include "common/adapters/http_session.h"
#include "common/adapters/tls_certificate.h"
#include "common/endpoint_check.h"

namespace capstan {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Code = boost::system::error_code;

}  // namespace

struct HttpServer::Impl {
  std::shared_ptr<asio::io_context> io = std::make_shared<asio::io_context>(1);
  tcp::acceptor acceptor{*io};
  std::shared_ptr<HttpShared> shared = std::make_shared<HttpShared>();
  std::optional<TlsCertificate> certificate;
  std::string told;  // of its trouble
  std::string place;
  std::thread thread;

  Status listen(const std::string& at) {
    CAPSTAN_TRY(check_page_place(at));
    const auto colon = at.rfind(':');
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
    if (code) {
      const bool taken = code == asio::error::address_in_use;
      return make_error(ErrorCode::kIo,
                        fmt::format("listen on {}: {}{}", at, code.message(),
                                    taken ? ": stop what listens there, or choose another port" : ""));
    }
    place = fmt::format("{}:{}", at.substr(0, colon), acceptor.local_endpoint().port());
    return ok_status();
  }
  void accept() {
    acceptor.async_accept([this](Code code, tcp::socket socket) {
      if (code == asio::error::operation_aborted) return;
      if (!code) std::make_shared<HttpSession>(std::move(socket), shared, tls())->begin();
      accept();
    });
  }
  std::shared_ptr<asio::ssl::context> tls() {
    if (!certificate.has_value()) return nullptr;
    auto context = certificate->context();
    const std::string& trouble = certificate->trouble();
    if (trouble != std::exchange(told, trouble) && !trouble.empty() && shared->options.tell) {
      shared->options.tell(trouble + ": the certificate before it stays in force");
    }
    return context;
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

std::uint64_t HttpServer::tokens_refused() const {
  return impl_->shared->tokens_refused;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& place, HttpServerOptions options,
                                                      Handler handler) {
  auto impl = std::make_unique<Impl>();
  impl->shared->io = impl->io;
  impl->shared->options = std::move(options);
  impl->shared->handler = std::move(handler);
  if (impl->shared->options.tls.has_value()) {
    CAPSTAN_ASSIGN(impl->certificate, TlsCertificate::load(*impl->shared->options.tls));
  }
  CAPSTAN_TRY(impl->listen(place));
  impl->accept();
  impl->thread = std::thread([&io = *impl->io] { io.run(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

}  // namespace capstan
